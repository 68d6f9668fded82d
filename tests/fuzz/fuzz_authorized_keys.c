/* SPDX-License-Identifier: MIT */
/* authorized_keys and revoked_keys: every line that was read is found again, and judged. */
#include "common/authorized_keys.h"
#include "common/mem.h"
#include "common/revoked_keys.h"
#include "common/text.h"

#include <netinet/in.h>
#include <sodium.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void use(const struct authorized_keys *keys)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    for (size_t i = 0; i < keys->count; i++) {
        const struct authorized_key *key = &keys->keys[i];
        demand(authorized_keys_find(keys, &key->key) == key);
        demand(text_is_name(slice_of(key->name)) && key->line > 0);
        demand(key->rate <= AUTHORIZED_RATE_MAX);
        demand(key->to.ptr || authorized_key_reaches(key, SLICE("bob"), false));
        demand(key->from.ptr || authorized_key_from(key, (struct sockaddr *)&address));
        authorized_key_from(key, (struct sockaddr *)&address);
        authorized_key_reaches(key, SLICE("bob"), true);
        struct slice group;
        size_t groups = 0;
        for (; authorized_key_group(key, groups, &group); groups++)
            demand(text_is_name(group));
        demand(groups <= AUTHORIZED_GROUPS);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct authorized_keys keys;
    struct revoked_keys revoked;
    struct diag diag = {""};
    demand(sodium_init() >= 0);
    if (authorized_keys_parse("f", text, &keys, &diag) == 0) {
        use(&keys);
        authorized_keys_free(&keys);
    } else
        demand(strncmp(diag.text, "f:", 2) == 0);
    if (revoked_keys_parse("f", text, &revoked, &diag) == 0) {
        for (size_t i = 0; i < revoked.count; i++)
            demand(revoked_keys_find(&revoked, &revoked.keys[i]));
        revoked_keys_free(&revoked);
    }
    return 0;
}
