/* tests/cli/many_lines.c - many command lines in one process: each runs in a fork, which costs a
 * tenth of a new program.
 *
 * Standard input holds the lines, each ended by byte 30, its words each ended by byte 31. Printed
 * for each: the exit code, the number of bytes on its standard output, and its standard error, each
 * ended by byte 31; then byte 30.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "cli/commands/commands.h"

#define LINE_END '\036'
#define WORD_END '\037'
#define WORDS_MAX 100

static _Noreturn void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static size_t read_all(char **out, int fd)
{
    size_t n = 0, room = 1 << 16;
    char *data = malloc(room);
    ssize_t got = 0;
    while (data && (got = read(fd, data + n, room - n - 1)) > 0) {
        n += (size_t)got;
        if (n + 1 == room) {
            room *= 2;
            data = realloc(data, room);
        }
    }
    if (!data || got < 0) {
        give_up("read");
    }
    data[n] = '\0';
    *out = data;
    return n;
}

static int scratch(void)
{
    char path[] = "/tmp/ogpt-many-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0 || unlink(path) != 0) {
        give_up(path);
    }
    return fd;
}

static char name[] = "ogpt";

/* The words of a line, which is cut up. */
static int words_of(char **words, char *line)
{
    int n = 0;
    words[n++] = name;
    for (char *word = line, *end; (end = strchr(word, WORD_END)) && n < WORDS_MAX; word = end + 1) {
        *end = '\0';
        words[n++] = word;
    }
    words[n] = NULL;
    return n;
}

static int run(char *line, int out, int err)
{
    pid_t child = fork();
    int status = 0;
    if (child < 0) {
        give_up("fork");
    }
    if (child == 0) {
        char *words[WORDS_MAX + 2];
        int null = open("/dev/null", O_RDONLY);
        dup2(null, 0);
        dup2(out, 1);
        dup2(err, 2);
        exit(cli_main(words_of(words, line), words));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
    char *lines = NULL;
    read_all(&lines, 0);
    interrupt_install();
    commands_install();
    for (char *line = lines, *end; (end = strchr(line, LINE_END)); line = end + 1) {
        char *said = NULL;
        int out = scratch(), err = scratch();
        *end = '\0';
        int code = run(line, out, err);
        off_t n_out = lseek(out, 0, SEEK_END);
        lseek(err, 0, SEEK_SET);
        read_all(&said, err);
        printf("%d%c%lld%c%s%c%c", code, WORD_END, (long long)n_out, WORD_END, said, WORD_END,
               LINE_END);
        fflush(stdout); /* nothing for a fork to print again */
        free(said);
        close(out);
        close(err);
    }
    free(lines);
    return 0;
}
