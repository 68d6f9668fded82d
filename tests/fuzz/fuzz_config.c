/* SPDX-License-Identifier: MIT */
/* Configuration: what is accepted is dumped so that it is read back to the same; msg.conf too. */
#include "common/config.h"
#include "common/mem.h"
#include "common/msg_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dump(const struct config *config, size_t *ret_len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    if (!out)
        abort();
    config_dump(config, out);
    fclose(out);
    return text;
}

static void check_round_trip(const struct config *config)
{
    struct config again;
    size_t len, again_len;
    CLEANUP_FREE char *text = dump(config, &len);
    config_defaults(&again);
    if (config_parse(&again, "f", (struct slice){text, len}, NULL) < 0)
        abort();
    CLEANUP_FREE char *again_text = dump(&again, &again_len);
    if (strcmp(text, again_text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct config config;
    struct msg_conf conf;
    struct diag diag = {""};
    config_defaults(&config);
    if (config_parse(&config, "f", text, &diag) == 0)
        check_round_trip(&config);
    else if (strncmp(diag.text, "f:", 2) != 0)
        abort();
    if (msg_conf_parse("f", text, &conf, &diag) == 0)
        msg_conf_free(&conf);
    return 0;
}
