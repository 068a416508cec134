/* explorer/explorer_page.h - one HTML file that holds a network, its probes, if there is one a
 * sparse autoencoder, and a page to look inside while one plays.
 *
 * The file has no outside reference. Numbers are float16 (binary16, little endian), in base64:
 * first the parameter vector of the network (TensorMap of model/gpt.h), then weight and bias of
 * each layer of the probe, then the tensors of the autoencoder. A JSON object says where each
 * begins. The sources of the page are those of explorer/, compiled into the program. Texts that
 * come from outside (names) are only in that JSON object, with every '<' and '&' escaped; the
 * policy of the page allows the two scripts and the style sheet by their SHA-256, and nothing else.
 */
#ifndef OGPT_EXPLORER_EXPLORER_PAGE_H
#define OGPT_EXPLORER_EXPLORER_PAGE_H

#include "base/text.h"
#include "probes/board/probe.h"
#include "probes/features/features_table.h"
#include "probes/sae/sae.h"

/* More parameters than this, and a browser cannot hold the text: 340 MB of base64. */
#define EXPLORER_MAX_NUMBERS 128000000

typedef struct ExplorerPage {
    const Subject *subject; /* borrowed, as the probe and the texts */
    const Probe *probe;
    const char *version;              /* of the program */
    const char *model_name;           /* as typed */
    const char *probe_name;           /* as typed; NULL: the one in the model's directory */
    const Sae *sae;                   /* NULL: the page has no panel of features */
    const char *sae_name;             /* as typed; NULL: the one in the model's directory */
    const FeaturesTable *features;    /* of it; NULL without an autoencoder */
    size_t n_fit_games, n_test_games; /* that the table is of */
} ExplorerPage;

typedef struct ExplorerWritten {
    uint64_t page_bytes;
    uint64_t code_bytes;   /* of the sources: style, text and scripts */
    uint64_t n_parameters; /* of the network, frozen ones included */
    uint64_t n_numbers;    /* in the page, those of probe and autoencoder included */
    double weight_change;  /* the largest change of a number by rounding it to float16 */
    /* The largest change of a logit by that, over all positions of EXPLORER_GAMES random games. */
    double logit_change;
    /* By the rounding of network and autoencoder, over the same positions: the largest change of a
     * feature that is on before and after it, and how many of those that are on before or after go
     * on or off, as a share. NaN without an autoencoder. */
    double feature_change, features_turned;
} ExplorerWritten;
#define EXPLORER_GAMES 64

/* Refuse what the page cannot show: a probe with a hidden layer, of another task than mine or
 * colour, of a site outside the residual stream, without a fitted layer; a network of too many
 * numbers. Returns 0 or OGPT_EUSAGE. `path` names the probe in messages. */
int explorer_check(const ExplorerPage *page, const char *path);
/* Refuse an autoencoder that the page cannot show: a transcoder, one of another network, layer or
 * width, or of a site outside the residual stream; too many numbers. Returns 0, OGPT_EUSAGE or
 * OGPT_EFORMAT. `path` names it in messages. */
int explorer_check_sae(const ExplorerPage *page, const char *path);
/* Write the page at `path`, complete or not at all. Returns 0, OGPT_EUSAGE (a file is there and
 * `replace` is false), OGPT_EFORMAT (a number that float16 cannot hold: its tensor is named),
 * OGPT_EIO, OGPT_ENOMEM. */
int explorer_write(ExplorerWritten *out, const ExplorerPage *page, const char *path, bool replace);

/* The same network, each parameter rounded to float16: what the page computes with. Owned:
 * gpt_free. Returns 0, OGPT_EFORMAT as above, OGPT_ENOMEM. */
int explorer_round_network(Gpt **out, double *weight_change, const Gpt *gpt);

/* One source file of the page. */
typedef struct ExplorerSource {
    const char *name; /* "core/rules.js" */
    const char *text; /* ends with a NUL that `n_bytes` does not count */
    size_t n_bytes;
} ExplorerSource;
/* All of them, ordered by name; the last has no name. Static. */
extern const ExplorerSource explorer_sources[];
/* The files below a folder ("core/"), one behind another. Text as in base/text.h. */
void explorer_join(Text *text, const char *folder);

#endif
