/* SPDX-License-Identifier: MIT */
#include "common/enrolled.h"

#include "common/file.h"
#include "common/invitation.h"
#include "common/keys.h"
#include "common/lines.h"
#include "common/mem.h"

/* ---- reading --------------------------------------------------------------------------------- */

/*
 * Notes the ids and blanks them out: what is left is a file of authorized_keys whose errors stand
 * at the same lines.
 */
static int take_ids(struct enrolled *enrolled, char *text, size_t len, size_t *ret_line,
                    struct diag *ret_diag)
{
    struct lines lines = {.rest = {text, len}};
    struct slice line, field;
    const char *reason;

    enrolled->used = calloc(len / INVITATION_NAME + 1, sizeof(*enrolled->used));
    if (!enrolled->used)
        return diag_set(ret_diag, -ENOMEM, "no memory");
    while (lines_next(&lines, &line, &reason)) {
        struct enrolled_use *use = &enrolled->used[enrolled->count];
        *ret_line = use->line = lines.number;
        if (!lines_field(&line, &field) || invitation_id_parse(field, use->id) < 0)
            return diag_set(ret_diag, -EBADMSG, "the line does not begin with 16 hex digits");
        enrolled->count++;
        memset(text + (field.ptr - text), ' ', field.len);
    }
    *ret_line = lines.number;
    return reason ? diag_set(ret_diag, -EBADMSG, "%s", reason) : 0;
}

static int compare(const void *a, const void *b)
{
    const struct enrolled_use *x = a, *y = b;
    int order = memcmp(x->id, y->id, ENROL_ID);

    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

/* Sorts them; *ret_line: the first in the file that repeats one. */
static int sort(struct enrolled *enrolled, size_t *ret_line, struct diag *ret_diag)
{
    size_t first = 0;

    qsort(enrolled->used, enrolled->count, sizeof(*enrolled->used), compare);
    for (size_t i = 1; i < enrolled->count; i++) {
        const struct enrolled_use *use = &enrolled->used[i];
        if (memcmp(use[-1].id, use->id, ENROL_ID) == 0 && (first == 0 || use->line < first))
            first = use->line;
    }
    if (first == 0)
        return 0;
    *ret_line = first;
    return diag_set(ret_diag, -EBADMSG, "this invitation was used above");
}

int enrolled_parse(const char *file, struct slice text, struct enrolled *ret_enrolled,
                   struct diag *ret_diag)
{
    CLEANUP_FREE char *copy = malloc(text.len + 1);
    struct enrolled enrolled = {.used = NULL};
    struct diag why;
    size_t line = 0;

    if (!copy)
        return diag_errno(ret_diag, -ENOMEM, file);
    memcpy(copy, text.len ? text.ptr : "", text.len);
    int r = take_ids(&enrolled, copy, text.len, &line, &why);
    r = r < 0 ? r : sort(&enrolled, &line, &why);
    if (r < 0)
        diag_set(ret_diag, r, "%s:%zu: %.900s", file, line, why.text);
    else
        r = authorized_keys_parse(file, (struct slice){copy, text.len}, &enrolled.keys, ret_diag);
    if (r < 0)
        enrolled_free(&enrolled);
    else
        *ret_enrolled = enrolled;
    return r;
}

int enrolled_read(const char *file, struct enrolled *ret_enrolled, struct diag *ret_diag)
{
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = file_read(file, FILE_ANY, LIM_TRUST_FILE, &text, &len, NULL, ret_diag);

    return r < 0 && r != -ENOENT
               ? r
               : enrolled_parse(file, (struct slice){text, len}, ret_enrolled, ret_diag);
}

void enrolled_free(struct enrolled *enrolled)
{
    authorized_keys_free(&enrolled->keys);
    free(enrolled->used);
    *enrolled = (struct enrolled){.used = NULL};
}

bool enrolled_used(const struct enrolled *enrolled, const uint8_t id[static ENROL_ID])
{
    bool found = false;

    for (size_t i = 0; i < enrolled->count; i++)
        found |= memcmp(enrolled->used[i].id, id, ENROL_ID) == 0;
    return found;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int judge_old(const char *file, struct slice old, const uint8_t id[static ENROL_ID],
                     struct diag *ret_diag)
{
    struct enrolled enrolled;
    int r = enrolled_parse(file, old, &enrolled, ret_diag);

    if (r < 0)
        return r;
    bool used = enrolled_used(&enrolled, id);
    enrolled_free(&enrolled);
    return used ? diag_set(ret_diag, -EEXIST, "%s: the invitation was used", file) : 0;
}

/* The old text, whatever its comments hold, and the new line; *ret_new is freed by the caller. */
static int compose(struct slice old, const uint8_t id[static ENROL_ID],
                   const struct noise_public *key, const char *line, char **ret_new,
                   size_t *ret_len)
{
    char id_text[INVITATION_NAME + 1], key_text[KEY_TEXT_LEN + 1];
    bool unended = old.len && old.ptr[old.len - 1] != '\n';
    size_t more = INVITATION_NAME + KEY_TEXT_LEN + strlen(line) + sizeof("\n  \n");
    char *new = malloc(old.len + more);

    if (!new)
        return -ENOMEM;
    invitation_id_format(id, id_text);
    key_format(key, key_text);
    memcpy(new, old.len ? old.ptr : "", old.len);
    int len =
        snprintf(new + old.len, more, "%s%s %s %s\n", unended ? "\n" : "", id_text, key_text, line);
    *ret_new = new;
    *ret_len = old.len + (size_t)len;
    return 0;
}

int enrolled_add(const char *file, const uint8_t id[static ENROL_ID],
                 const struct noise_public *key, const char *line, struct diag *ret_diag)
{
    CLEANUP_FREE char *old = NULL, *new = NULL;
    struct enrolled checked;
    size_t old_len = 0, len = 0;
    int r = file_read(file, FILE_TRUSTED, LIM_TRUST_FILE - LIM_TRUST_LINE - 1, &old, &old_len, NULL,
                      ret_diag);

    if (r < 0 && r != -ENOENT)
        return r;
    r = judge_old(file, (struct slice){old, old_len}, id, ret_diag);
    if (r < 0)
        return r;
    if (compose((struct slice){old, old_len}, id, key, line, &new, &len) < 0)
        return diag_errno(ret_diag, -ENOMEM, file);
    r = enrolled_parse(file, (struct slice){new, len}, &checked, ret_diag);
    if (r < 0)
        return r;
    enrolled_free(&checked);
    return file_replace(file, (struct slice){new, len}, 0600, ret_diag);
}
