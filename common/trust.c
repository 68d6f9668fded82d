/* SPDX-License-Identifier: MIT */
#include "common/trust.h"

#include "common/file.h"
#include "common/mem.h"
#include "common/revoked_keys.h"

/* A file as it was when it was looked at last. */
struct watched {
    char *path;
    bool looked;
    struct stat st; /* zero where the file is not there */
    int state;      /* 0, or the negative errno of the last reading, told by diag */
    bool told;
    struct diag diag;
};

struct trust {
    struct watched authorized_file, revoked_file;
    struct authorized_keys authorized;
    struct revoked_keys revoked;
    bool looked;
    uint64_t looked_ms;
};

int trust_new(struct trust **ret_trust, const char *authorized, const char *revoked)
{
    struct trust *trust = calloc(1, sizeof(*trust));
    if (!trust)
        return -ENOMEM;
    /* Until it was read nobody can know who is revoked. */
    trust->revoked_file.state = -EAGAIN;
    trust->revoked_file.told = true;
    trust->authorized_file.path = strdup(authorized);
    trust->revoked_file.path = strdup(revoked);
    if (!trust->authorized_file.path || !trust->revoked_file.path) {
        trust_free(trust);
        return -ENOMEM;
    }
    *ret_trust = trust;
    return 0;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    authorized_keys_free(&trust->authorized);
    revoked_keys_free(&trust->revoked);
    free(trust->authorized_file.path);
    free(trust->revoked_file.path);
    free(trust);
}

static bool has_changed(struct watched *file)
{
    struct stat st;
    if (stat(file->path, &st) < 0)
        memset(&st, 0, sizeof(st));
    bool changed = !file->looked || !file_same(&st, &file->st);
    file->looked = true;
    file->st = st;
    return changed;
}

/* Reads a file that has changed; a missing one has no text. The outcome is file->state. */
static void read_watched(struct watched *file, char **ret_text, size_t *ret_len)
{
    file->told = false;
    file->state = file_read(file->path, FILE_TRUSTED, LIM_TRUST_FILE, ret_text, ret_len, &file->st,
                            &file->diag);
    if (file->state == -ENOENT)
        file->state = 0;
}

static bool refresh_authorized(struct trust *trust)
{
    struct watched *file = &trust->authorized_file;
    struct authorized_keys keys;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (!has_changed(file))
        return false;
    read_watched(file, &text, &len);
    if (file->state == 0)
        file->state =
            authorized_keys_parse(file->path, (struct slice){text, len}, &keys, &file->diag);
    if (file->state < 0)
        return false;
    authorized_keys_free(&trust->authorized);
    trust->authorized = keys;
    return true;
}

static bool refresh_revoked(struct trust *trust)
{
    struct watched *file = &trust->revoked_file;
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    if (!has_changed(file))
        return false;
    read_watched(file, &text, &len);
    revoked_keys_free(&trust->revoked);
    if (file->state == 0)
        file->state =
            revoked_keys_parse(file->path, (struct slice){text, len}, &trust->revoked, &file->diag);
    return true;
}

bool trust_refresh(struct trust *trust, uint64_t now_ms, bool force)
{
    if (!force && trust->looked && now_ms - trust->looked_ms < LIM_FILE_RECHECK)
        return false;
    trust->looked = true;
    trust->looked_ms = now_ms;
    bool authorized = refresh_authorized(trust), revoked = refresh_revoked(trust);
    return authorized || revoked;
}

const char *trust_problem(struct trust *trust, bool *ret_new)
{
    struct watched *files[] = {&trust->authorized_file, &trust->revoked_file};
    const char *standing = NULL;
    *ret_new = false;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (files[i]->state == 0 || !files[i]->looked)
            continue;
        standing = files[i]->diag.text;
        *ret_new = !files[i]->told;
        files[i]->told = true;
        if (*ret_new)
            break;
    }
    return standing;
}

enum trust_verdict trust_judge(const struct trust *trust, const struct noise_public *key,
                               const struct sockaddr *address, int64_t now_s,
                               const struct authorized_key **ret_key)
{
    if (trust->revoked_file.state < 0 || revoked_keys_hold(&trust->revoked, key))
        return TRUST_REVOKED;
    const struct authorized_key *line = authorized_keys_find(&trust->authorized, key);
    if (!line || (address && !authorized_key_from(line, address)))
        return TRUST_UNAUTHORIZED;
    if (authorized_key_expired(line, now_s))
        return TRUST_EXPIRED;
    if (ret_key)
        *ret_key = line;
    return TRUST_ACCEPTED;
}
