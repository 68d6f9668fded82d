/* SPDX-License-Identifier: MIT */
#include "common/ticket_file.h"

#include "common/file.h"
#include "common/mem.h"

#include <limits.h>
#include <sodium.h>

static int make_path(const char *folder, const char *name, char out[static PATH_MAX],
                     struct diag *ret_diag)
{
    return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX
               ? 0
               : diag_errno(ret_diag, -ENAMETOOLONG, folder);
}

int ticket_load(const char *folder, const char *name, struct ticket *ret_ticket,
                struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    char path[PATH_MAX];
    uint8_t id[ENROL_ID];
    size_t len = 0;
    struct diag why;
    int r = make_path(folder, name, path, ret_diag);

    if (r == 0)
        r = file_read(path, FILE_GUARDED, INVITATION_TICKET, &text, &len, NULL, ret_diag);
    if (r < 0)
        return r;
    r = ticket_parse((struct slice){text, len}, ret_ticket, &why);
    sodium_memzero(text, len);
    if (r < 0)
        return diag_set(ret_diag, r, "%.300s: %.600s", path, why.text);
    if (invitation_id_parse(slice_of(name), id) < 0 || memcmp(ret_ticket->id, id, ENROL_ID) != 0)
        return diag_set(ret_diag, -EBADMSG, "%.900s is not named by its id", path);
    return 0;
}

int ticket_store(const char *folder, const struct ticket *ticket, struct diag *ret_diag)
{
    char path[PATH_MAX], name[INVITATION_NAME + 1], text[INVITATION_TICKET];

    invitation_id_format(ticket->id, name);
    int r = make_path(folder, name, path, ret_diag);
    if (r < 0)
        return r;
    size_t len = ticket_format(ticket, text);
    r = file_replace(path, (struct slice){text, len}, 0640, ret_diag);
    sodium_memzero(text, sizeof(text));
    return r;
}

int ticket_remove(const char *folder, const uint8_t id[static ENROL_ID], struct diag *ret_diag)
{
    char path[PATH_MAX], name[INVITATION_NAME + 1];

    invitation_id_format(id, name);
    int r = make_path(folder, name, path, ret_diag);
    if (r == 0 && unlink(path) < 0)
        r = diag_errno(ret_diag, mem_errno(), path);
    return r;
}
