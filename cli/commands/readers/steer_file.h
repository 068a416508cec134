/* cli/commands/readers/steer_file.h - a network whose weights do not write along a direction, as a
 * model directory. */
#ifndef OGPT_CLI_COMMANDS_READERS_STEER_FILE_H
#define OGPT_CLI_COMMANDS_READERS_STEER_FILE_H

#include "cli/commands/readers/steer_session.h"

/* Whether --out can be written: nothing is there, or an orthogonalised network. Anything else is
 * refused, with --force too: OGPT_EUSAGE. */
int steering_file_check(const char *path);
/* Write the network of the session, orthogonal to the direction that was ablated. The same network
 * that is there already stays; another one is replaced with --force only, and never with a probe in
 * it (OGPT_EUSAGE). out_hash is filled. */
int steering_file_write(SteerSession *session);

#endif
