/* tests/model/layouts/test_layouts.c - the golden network through every layout and back: the same
 * bytes, and by each library's own arithmetic the logits of an independent implementation. */
#include "tests/model/layouts/layout_files.h"

#include <math.h>

#include "base/formats/npy.h"
#include "base/rng.h"
#include "model/checkpoint.h"
#include "model/layouts/layouts.h"
#include "num/blas.h"
#include "tests/there.h"

/* As in test_golden.c: 5e-6 measured, wrong twins from 1.7e-3. */
#define TOLERANCE 1e-4

static LayoutFiles golden;
static Gpt *gpt;
static uint8_t *tokens;
static float *logits;
static NpyHeader tokens_header;

static const char *golden_path(const char *name)
{
    static char path[FILES_PATH_MAX];
    const char *source = getenv("OGPT_SOURCE");
    snprintf(path, sizeof(path), "%s/tests/model/golden%s%s", source ? source : ".",
             name[0] != '\0' ? "/" : "", name);
    return path;
}

static int set_up(void **state)
{
    NpyHeader header;
    void *data = NULL;
    if (work_create(state) != 0 || blas_init() != 0 ||
        layout_files_find(&golden, golden_path("")) != 0 ||
        layout_read(&gpt, LAYOUT_TL, &golden, 0) != 0 ||
        npy_read(&tokens_header, &data, golden_path("tokens.npy"), 1 << 20) != 0) {
        return -1;
    }
    tokens = data;
    if (npy_read(&header, &data, golden_path("logits.npy"), 1 << 20) != 0) {
        return -1;
    }
    logits = data;
    /* The golden network has a head with bias, which only our own layout can hold. Without it the
     * logits of each token are lower by its bias. */
    const size_t V = (size_t)gpt->cfg.d_vocab;
    for (size_t i = 0; i < header.shape[0] * header.shape[1] * V; i++) {
        logits[i] -= gpt->params[gpt->map.b_U + i % V];
    }
    memset(gpt->params + gpt->map.b_U, 0, V * sizeof(*gpt->params));
    return 0;
}

static int tear_down(void **state)
{
    gpt_free(gpt);
    mem_free(tokens);
    mem_free(logits);
    return work_remove(state);
}

/* Write a network into work/<name> and give its files. */
static void net_write(LayoutFiles *out, const Gpt *net, Layout layout, const char *name)
{
    Publish *publish = NULL;
    char hash[HASH_HEX_SIZE];
    size_t n_tensors = 0;
    Js *fields = js_object();
    assert_int_equal(publish_begin(&publish, at(name), true), 0);
    if (layout_write(publish, &n_tensors, hash, net, layout, NULL, false) != 0) {
        fail_msg("%s", err_message());
    }
    assert_int_equal(publish_commit(publish, fields), 0);
    js_free(fields);
    assert_int_equal(layout_files_find(out, at(name)), 0);
}

/* Largest difference between the stored logits and those of a file in its own layout. */
static double plain_difference(Layout layout, const LayoutFiles *files)
{
    const size_t T = tokens_header.shape[1], V = (size_t)gpt->cfg.d_vocab;
    LayoutConfig config;
    PlainNet *net = NULL;
    double worst = 0, *found = calloc(T * V, sizeof(*found));
    if (layout_config_read(&config, layout, files, 0) != 0 ||
        plain_net_open(&net, layout, files->tensors, &config) != 0) {
        fail_msg("%s", err_message());
    }
    for (size_t game = 0; game < tokens_header.shape[0]; game++) {
        assert_int_equal(plain_net_logits(found, net, tokens + game * T, T), 0);
        for (size_t i = 0; i < T * V; i++) {
            double d = fabs(found[i] - (double)logits[game * T * V + i]);
            worst = d > worst || isnan(d) ? d : worst;
        }
    }
    plain_net_free(net);
    free(found);
    return worst;
}

/* The same for a network in memory. */
static double our_difference(const Gpt *net)
{
    const size_t B = tokens_header.shape[0], T = tokens_header.shape[1];
    Tape *tape = NULL;
    double worst = 0;
    assert_int_equal(tape_new(&tape, &net->cfg, B, TAPE_FORWARD, NULL), 0);
    const float *found = gpt_forward(net, tape, tokens, B, T, NULL);
    for (size_t i = 0; i < B * T * (size_t)net->cfg.d_vocab; i++) {
        /* Not fmax: it passes over NaN. */
        double d = fabs((double)found[i] - (double)logits[i]);
        worst = d > worst || isnan(d) ? d : worst;
    }
    tape_free(tape);
    return worst;
}

static Gpt *copy_of(const Gpt *net)
{
    Gpt *copy = NULL;
    assert_int_equal(gpt_new(&copy, &net->cfg), 0);
    memcpy(copy->params, net->params, net->n_numbers * sizeof(*net->params));
    return copy;
}

static void each_library_computes_the_same(void **state)
{
    for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
        LayoutFiles files;
        net_write(&files, gpt, layout, "same");
        double difference = plain_difference(layout, &files);
        if (difference > TOLERANCE) {
            fail_msg("%s: logits differ by %g", layout_name(layout), difference);
        }
    }
}

/* The negative twin of the test before: no tensor can change unseen in any layout. A number of
 * every tensor is moved by 1, which moves the logits by far more than rounding does. A key's bias
 * shifts all scores of a query alike and is the exception that softmax makes. */
static void no_tensor_changes_unseen(void **state)
{
    for (size_t i = 0; i < gpt->n_specs; i++) {
        const TensorSpec *spec = &gpt->specs[i];
        if (spec->layer > 1) {
            continue; /* blocks 0 and 1 are enough */
        }
        Gpt *other = copy_of(gpt);
        for (size_t j = 0; j < spec->count; j += 5) {
            other->params[spec->offset + j] += 1;
        }
        for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
            LayoutFiles files;
            if (layout != LAYOUT_TL && spec->group == GROUP_FROZEN) {
                continue; /* no place for it: see what_a_layout_cannot_hold */
            }
            net_write(&files, other, layout, "changed");
            double difference = plain_difference(layout, &files);
            bool hidden = strstr(spec->name, ".b_K");
            if (hidden ? difference > TOLERANCE : difference < 10 * TOLERANCE) {
                fail_msg("%s in %s: %g", spec->name, layout_name(layout), difference);
            }
        }
        gpt_free(other);
    }
}

static void assert_same_network(const Gpt *a, const Gpt *b)
{
    assert_memory_equal(&a->cfg.n_layers, &b->cfg.n_layers, offsetof(GptConfig, eps));
    assert_true(a->cfg.eps == b->cfg.eps);
    for (size_t i = 0; i < a->n_specs; i++) {
        const TensorSpec *spec = &a->specs[i];
        if (memcmp(a->params + spec->offset, b->params + spec->offset,
                   spec->count * sizeof(*a->params)) != 0) {
            fail_msg("%s differs", spec->name);
        }
    }
}

static void there_and_back_is_the_same_file(void **state)
{
    char hashes[2][HASH_HEX_SIZE];
    LayoutFiles ours, theirs;
    net_write(&ours, gpt, LAYOUT_TL, "ours");
    assert_int_equal(sha256_file(hashes[0], ours.tensors), 0);
    for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
        Gpt *back = NULL;
        net_write(&theirs, gpt, layout, "theirs");
        if (layout_read(&back, layout, &theirs, 0) != 0) {
            fail_msg("%s", err_message());
        }
        assert_same_network(gpt, back);
        net_write(&ours, back, LAYOUT_TL, "ours");
        assert_int_equal(sha256_file(hashes[1], ours.tensors), 0);
        assert_string_equal(hashes[0], hashes[1]);
        gpt_free(back);
    }
}

/* Names and places written out by hand, from the libraries' own modules: element (in, out) of our
 * matrix `ours` is number `at` of the tensor. The plain network takes names from the table, so that
 * only this test and PyTorch's notice a key under the name of a query. */
static void names_and_places(void **state)
{
    enum { C = 32, M = 128, V = 33 };
    static const struct {
        Layout layout;
        const char *ours, *theirs;
        size_t in, out, n_out, at;
    } named[] = {
        {LAYOUT_MINGPT, "blocks.1.attn.W_Q", "blocks.1.attn.query.weight", 3, 5, C, 5 * C + 3},
        {LAYOUT_MINGPT, "blocks.1.attn.W_K", "blocks.1.attn.key.weight", 3, 5, C, 5 * C + 3},
        {LAYOUT_MINGPT, "blocks.1.attn.W_V", "blocks.1.attn.value.weight", 3, 5, C, 5 * C + 3},
        {LAYOUT_MINGPT, "blocks.2.attn.W_O", "blocks.2.attn.proj.weight", 30, 2, C, 2 * C + 30},
        {LAYOUT_MINGPT, "blocks.0.attn.b_K", "blocks.0.attn.key.bias", 0, 9, C, 9},
        {LAYOUT_MINGPT, "blocks.0.mlp.W_in", "blocks.0.mlp.0.weight", 7, 100, M, 100 * C + 7},
        {LAYOUT_MINGPT, "blocks.0.mlp.W_out", "blocks.0.mlp.2.weight", 100, 7, C, 7 * M + 100},
        {LAYOUT_MINGPT, "embed.W_E", "tok_emb.weight", 4, 6, C, 4 * C + 6},
        {LAYOUT_MINGPT, "pos_embed.W_pos", "pos_emb", 4, 6, C, 4 * C + 6},
        {LAYOUT_MINGPT, "blocks.1.ln2.w", "blocks.1.ln2.weight", 0, 6, C, 6},
        {LAYOUT_MINGPT, "ln_final.b", "ln_f.bias", 0, 6, C, 6},
        {LAYOUT_MINGPT, "unembed.W_U", "head.weight", 3, 20, V, 20 * C + 3},
        {LAYOUT_HF_GPT2, "blocks.1.attn.W_Q", "transformer.h.1.attn.c_attn.weight", 3, 5, C,
         3 * 3 * C + 5},
        {LAYOUT_HF_GPT2, "blocks.1.attn.W_K", "transformer.h.1.attn.c_attn.weight", 3, 5, C,
         3 * 3 * C + C + 5},
        {LAYOUT_HF_GPT2, "blocks.1.attn.W_V", "transformer.h.1.attn.c_attn.weight", 3, 5, C,
         3 * 3 * C + 2 * C + 5},
        {LAYOUT_HF_GPT2, "blocks.0.attn.b_V", "transformer.h.0.attn.c_attn.bias", 0, 9, C,
         2 * C + 9},
        {LAYOUT_HF_GPT2, "blocks.2.attn.W_O", "transformer.h.2.attn.c_proj.weight", 30, 2, C,
         30 * C + 2},
        {LAYOUT_HF_GPT2, "blocks.0.mlp.W_in", "transformer.h.0.mlp.c_fc.weight", 7, 100, M,
         7 * M + 100},
        {LAYOUT_HF_GPT2, "blocks.0.mlp.W_out", "transformer.h.0.mlp.c_proj.weight", 100, 7, C,
         100 * C + 7},
        {LAYOUT_HF_GPT2, "embed.W_E", "transformer.wte.weight", 4, 6, C, 4 * C + 6},
        {LAYOUT_HF_GPT2, "pos_embed.W_pos", "transformer.wpe.weight", 4, 6, C, 4 * C + 6},
        {LAYOUT_HF_GPT2, "blocks.1.ln1.b", "transformer.h.1.ln_1.bias", 0, 6, C, 6},
        {LAYOUT_HF_GPT2, "ln_final.w", "transformer.ln_f.weight", 0, 6, C, 6},
        {LAYOUT_HF_GPT2, "unembed.W_U", "lm_head.weight", 3, 20, V, 20 * C + 3},
    };
    for (Layout layout = LAYOUT_MINGPT; layout < N_LAYOUTS; layout++) {
        LayoutFiles files;
        TensorFile file;
        net_write(&files, gpt, layout, "names");
        tensors_read(&file, files.tensors);
        for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
            if (named[i].layout != layout) {
                continue;
            }
            const real *ours = gpt_tensor(gpt, gpt_tensor_index(gpt, named[i].ours));
            const float *theirs = file.data[tensor_at(&file, named[i].theirs)];
            if (theirs[named[i].at] != ours[named[i].in * named[i].n_out + named[i].out]) {
                fail_msg("%s is not where %s should be", named[i].ours, named[i].theirs);
            }
        }
        tensors_free(&file);
    }
}

/* The sizes of a bare file are inferred from its shapes, but for the number of heads; the buffers
 * of the layouts are not tensors of the network. */
static void bare_files(void **state)
{
    LayoutFiles files;
    Gpt *back = NULL;
    net_write(&files, gpt, LAYOUT_MINGPT, "bare");
    files.config[0] = '\0';
    assert_int_equal(layout_read(&back, LAYOUT_MINGPT, &files, 4), 0);
    assert_same_network(gpt, back);
    gpt_free(back);
    assert_int_equal(layout_read(&back, LAYOUT_MINGPT, &files, 0), 0); /* 8 heads, as published */
    assert_int_equal(back->cfg.n_heads, 8);
    assert_true(our_difference(back) > 10 * TOLERANCE); /* another network */
    gpt_free(back);
    assert_refused(layout_read(&back, LAYOUT_MINGPT, &files, 5), OGPT_EUSAGE,
                   "does not divide into 5 heads; give a divisor");
    assert_refused(layout_read(&back, LAYOUT_TL, &files, 0), OGPT_EFORMAT,
                   "\"embed.W_E\" is missing, so this is not layout tl");
    net_write(&files, gpt, LAYOUT_TL, "bare");
    files.config[0] = '\0';
    assert_int_equal(layout_read(&back, LAYOUT_TL, &files, 0), 0);
    assert_same_network(gpt, back);
    gpt_free(back);
    net_write(&files, gpt, LAYOUT_HF_GPT2, "bare");
    assert_refused(layout_read(&back, LAYOUT_HF_GPT2, &files, 8), OGPT_EUSAGE, "says 4 heads");
    files.config[0] = '\0';
    assert_refused(layout_read(&back, LAYOUT_HF_GPT2, &files, 4), OGPT_EFORMAT, "config.json");
}

/* The published LNPre checkpoint has no LayerNorm weights: w = 1, b = 0. */
static void lnpre(void **state)
{
    static const char *const norms[] = {"ln1.w", "ln1.b", "ln2.w", "ln2.b"};
    LayoutFiles files;
    TensorFile file;
    Gpt *plain = copy_of(gpt), *back = NULL;
    char name[64];
    for (size_t i = 0; i < plain->n_specs; i++) {
        const TensorSpec *spec = &plain->specs[i];
        bool norm = strstr(spec->name, "ln1.") || strstr(spec->name, "ln2.") ||
                    strstr(spec->name, "ln_final.");
        for (size_t j = 0; norm && j < spec->count; j++) {
            plain->params[spec->offset + j] = spec->init_std < 0;
        }
    }
    net_write(&files, plain, LAYOUT_TL, "lnpre");
    tensors_read(&file, files.tensors);
    for (int l = 0; l < gpt->cfg.n_layers; l++) {
        for (size_t i = 0; i < 4; i++) {
            snprintf(name, sizeof(name), "blocks.%d.%s", l, norms[i]);
            tensor_remove(&file, name);
        }
    }
    tensor_remove(&file, "ln_final.w");
    tensor_remove(&file, "ln_final.b");
    tensors_write(&file, at("lnpre.safetensors"));
    assert_int_equal(layout_files_find(&files, at("lnpre.safetensors")), 0);
    assert_int_equal(layout_read(&back, LAYOUT_TL, &files, 0), 0);
    assert_same_network(plain, back);
    assert_true(fabs(plain_difference(LAYOUT_TL, &files) - our_difference(back)) < TOLERANCE);
    tensors_free(&file);
    gpt_free(plain);
    gpt_free(back);
}

/* hf-gpt2 shares the token embedding with the head unless config.json says otherwise. */
static void tied_embeddings(void **state)
{
    LayoutFiles files;
    TensorFile file;
    Gpt *back = NULL;
    Js *config = layout_config_write(LAYOUT_HF_GPT2, &gpt->cfg);
    char *text = NULL;
    js_set_bool(config, "tie_word_embeddings", true);
    assert_int_equal(js_print(&text, config, 0), 0);
    net_write(&files, gpt, LAYOUT_HF_GPT2, "tied");
    tensors_read(&file, files.tensors);
    model_publish(at("tied"), &file, text);
    assert_refused(layout_read(&back, LAYOUT_HF_GPT2, &files, 0), OGPT_EFORMAT,
                   "\"lm_head.weight\" differs from the token embedding");
    size_t head = tensor_at(&file, "lm_head.weight");
    size_t embed = tensor_at(&file, "transformer.wte.weight");
    float *into = file.data[head];
    const float *from = file.data[embed];
    for (size_t i = 0; into && from && i < entry_count(&file.entries[head]); i++) {
        into[i] = from[i];
    }
    for (int with_head = 1; with_head >= 0; with_head--) {
        model_publish(at("tied"), &file, text);
        assert_int_equal(layout_read(&back, LAYOUT_HF_GPT2, &files, 0), 0);
        const float *W_U = back->params + back->map.W_U, *W_E = back->params + back->map.W_E;
        assert_true(W_U[3 * 33 + 7] == W_E[7 * 32 + 3] && W_U[3 * 33 + 7] != W_E[3 * 32 + 7]);
        assert_true(fabs(plain_difference(LAYOUT_HF_GPT2, &files) - our_difference(back)) < 1e-3);
        gpt_free(back);
        if (with_head) {
            tensor_remove(&file, "lm_head.weight");
        }
    }
    tensors_free(&file);
    mem_free(text);
    js_free(config);
}

static void prefix_add(TensorFile *file, const char *prefix)
{
    for (size_t i = 0; i < file->n; i++) {
        char name[sizeof(file->names[0])];
        snprintf(name, sizeof(name), "%s%s", prefix, file->names[i]);
        memcpy(file->names[i], name, sizeof(name));
    }
}

/* Files as wrappers leave them, and hf-gpt2 as GPT2Model names it, in each layout. */
static void prefixes(void **state)
{
    static const char *const wrappers[] = {"module.", "_orig_mod.", "_orig_mod.module."};
    for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
        for (size_t i = 0; i < 3; i++) {
            LayoutFiles files;
            TensorFile file;
            Gpt *back = NULL;
            net_write(&files, gpt, layout, "wrapped");
            tensors_read(&file, files.tensors);
            if (layout == LAYOUT_HF_GPT2 && i > 0) {
                for (size_t t = 0; t < file.n; t++) {
                    char *name = file.names[t];
                    if (strncmp(name, "transformer.", 12) == 0) {
                        memmove(name, name + 12, strlen(name + 12) + 1);
                    }
                }
            }
            prefix_add(&file, wrappers[i]);
            tensors_write(&file, files.tensors);
            if (layout_read(&back, layout, &files, 0) != 0) {
                fail_msg("%s", err_message());
            }
            assert_same_network(gpt, back);
            assert_true(plain_difference(layout, &files) < TOLERANCE);
            gpt_free(back);
            /* negative twins: one name without the prefix, one with the other */
            snprintf(file.names[3], sizeof(file.names[3]), "%s", "module.x");
            tensors_write(&file, files.tensors);
            assert_int_equal(layout_read(&back, layout, &files, 0), OGPT_EFORMAT);
            snprintf(file.names[3], sizeof(file.names[3]), "%s", "x");
            tensors_write(&file, files.tensors);
            assert_refused(layout_read(&back, layout, &files, 0), OGPT_EFORMAT,
                           "are two networks mixed in it?");
            tensors_free(&file);
        }
    }
}

/* The upper half of each number. */
static void brain_write(const TensorFile *file, const char *path, size_t cut)
{
    size_t room = 1 << 20, at = 0, data = 0;
    char *head = calloc(room, 1), *bytes = calloc(room, 4);
    head[at++] = '{';
    for (size_t i = 0; i < file->n; i++) {
        const StEntry *entry = &file->entries[i];
        size_t n = entry_count(entry);
        at += (size_t)snprintf(head + at, room - at, "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":[",
                               i ? "," : "", entry->name);
        for (size_t d = 0; d < entry->rank; d++) {
            at += (size_t)snprintf(head + at, room - at, "%s%zu", d ? "," : "",
                                   (size_t)entry->shape[d]);
        }
        at += (size_t)snprintf(head + at, room - at, "],\"data_offsets\":[%zu,%zu]}", data,
                               data + 2 * n);
        for (size_t j = 0; j < n; j++) {
            memcpy(bytes + data + 2 * j, (const char *)(entry->data + j) + 2, 2);
        }
        data += 2 * n;
    }
    head[at++] = '}';
    uint64_t length = at;
    char *whole = malloc(8 + at + data);
    memcpy(whole, &length, 8);
    memcpy(whole + 8, head, at);
    memcpy(whole + 8 + at, bytes, data);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(whole, 1, 8 + at + data - cut, out), 8 + at + data - cut);
    assert_int_equal(fclose(out), 0);
    free(whole);
    free(bytes);
    free(head);
}

static void half_precision(void **state)
{
    for (Layout layout = 0; layout < N_LAYOUTS; layout++) {
        LayoutFiles files;
        TensorFile file;
        Gpt *back = NULL, *rounded = copy_of(gpt);
        for (size_t i = 0; i < rounded->n_numbers; i++) {
            uint32_t bits;
            memcpy(&bits, &rounded->params[i], 4);
            bits &= 0xffff0000;
            memcpy(&rounded->params[i], &bits, 4);
        }
        net_write(&files, gpt, layout, "half");
        tensors_read(&file, files.tensors);
        brain_write(&file, files.tensors, 0);
        if (layout_read(&back, layout, &files, 0) != 0) {
            fail_msg("%s", err_message());
        }
        assert_same_network(rounded, back);
        assert_true(fabs(plain_difference(layout, &files) - our_difference(back)) < TOLERANCE);
        assert_true(our_difference(back) > 10 * TOLERANCE); /* it is not the same network */
        gpt_free(back);
        gpt_free(rounded);
        brain_write(&file, files.tensors, 1); /* cut short */
        assert_int_equal(layout_read(&back, layout, &files, 0), OGPT_EFORMAT);
        tensors_free(&file);
    }
}

/* Renaming the tokens of the network and of its input gives the same logits. */
static void permuted_tokens_are_the_same_function(void **state)
{
    const size_t T = tokens_header.shape[1], V = (size_t)gpt->cfg.d_vocab;
    Gpt *other = copy_of(gpt);
    Tape *tape = NULL;
    uint8_t order[256] = {0}, back[256] = {0}, renamed[64] = {0};
    for (size_t v = 0; v < V; v++) {
        order[v] = (uint8_t)(v == 0 ? 0 : 1 + (v * 5) % (V - 1)); /* no involution */
        back[order[v]] = (uint8_t)v;
    }
    other->params[other->map.b_U + 4] = 0.5f; /* moves with its token */
    assert_int_equal(gpt_permute_tokens(other, order), 0);
    for (size_t t = 0; t < T; t++) {
        renamed[t] = back[tokens[t]];
    }
    assert_int_equal(tape_new(&tape, &gpt->cfg, 1, TAPE_FORWARD, NULL), 0);
    const float *found = gpt_forward(other, tape, renamed, 1, T, NULL);
    double right = 0, wrong = 0;
    for (size_t i = 0; i < T * V; i++) {
        size_t v = order[i % V];
        double expected = (double)logits[i / V * V + v] + (v == 4 ? 0.5 : 0);
        right = fmax(right, fabs((double)found[i] - expected));
        wrong = fmax(wrong, fabs((double)found[i] - (double)logits[i]));
    }
    assert_true(right <= TOLERANCE);
    assert_true(wrong > 100 * TOLERANCE); /* the order matters */
    tape_free(tape);
    gpt_free(other);
}

static void what_a_layout_cannot_hold(void **state)
{
    Gpt *other = copy_of(gpt), *narrow = NULL;
    Publish *publish = NULL;
    char hash[HASH_HEX_SIZE];
    size_t n = 0;
    assert_int_equal(publish_begin(&publish, at("never"), true), 0);
    other->params[other->map.b_U + 9] = 0.25f;
    assert_refused(layout_write(publish, &n, hash, other, LAYOUT_MINGPT, NULL, false), OGPT_EFORMAT,
                   "unembed.b_U: layout mingpt has a head without bias; expected zeros, found 0.25 "
                   "at index 9");
    assert_refused(layout_write(publish, &n, hash, other, LAYOUT_HF_GPT2, NULL, false),
                   OGPT_EFORMAT, "unembed.b_U");
    other->params[other->map.b_U + 9] = 0;
    other->cfg.eps = 1e-6f;
    assert_refused(layout_write(publish, &n, hash, other, LAYOUT_MINGPT, NULL, false), OGPT_EFORMAT,
                   "eps: layout mingpt is always 1e-5");
    GptConfig cfg = gpt->cfg;
    cfg.d_mlp = 96;
    assert_int_equal(gpt_new(&narrow, &cfg), 0);
    assert_refused(layout_write(publish, &n, hash, narrow, LAYOUT_MINGPT, NULL, false),
                   OGPT_EFORMAT, "d_mlp: layout mingpt is always 4 * d_model = 128, found 96");
    publish_abort(publish);
    assert_false(dir_exists(at("never")));
    gpt_free(narrow);
    gpt_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_library_computes_the_same),
        cmocka_unit_test(no_tensor_changes_unseen),
        cmocka_unit_test(there_and_back_is_the_same_file),
        cmocka_unit_test(names_and_places),
        cmocka_unit_test(bare_files),
        cmocka_unit_test(lnpre),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(half_precision),
        cmocka_unit_test(tied_embeddings),
        cmocka_unit_test(permuted_tokens_are_the_same_function),
        cmocka_unit_test(what_a_layout_cannot_hold),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
