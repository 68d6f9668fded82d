/* SPDX-License-Identifier: MIT */
#include "client/ctl_invitations.h"

#include "client/ctl_trust_files.h"
#include "client/json.h"
#include "common/enrolled.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/ticket_file.h"

#include <dirent.h>
#include <sodium.h>
#include <time.h>

/* One ticket and what has become of it. */
struct entry {
    struct ticket ticket;
    char id[INVITATION_NAME + 1];
    const char *state; /* "open", "used" or "late" */
};

typedef void entry_fn(void *context, const struct entry *entry);

void ctl_format_time(int64_t seconds, char out[static CTL_TIME])
{
    time_t at = (time_t)seconds;
    struct tm parts;

    out[0] = '\0';
    if (gmtime_r(&at, &parts))
        strftime(out, CTL_TIME, "%Y-%m-%d %H:%M UTC", &parts);
}

static int is_ticket(const struct dirent *entry)
{
    uint8_t id[ENROL_ID];

    return invitation_id_parse(slice_of(entry->d_name), id) == 0;
}

static void one(const struct config *config, const struct enrolled *enrolled, const char *name,
                entry_fn *call, void *context)
{
    struct entry entry;
    struct diag diag;

    if (ticket_load(config->invitations, name, &entry.ticket, &diag) < 0) {
        log_warning("%s", diag.text);
        return;
    }
    invitation_id_format(entry.ticket.id, entry.id);
    entry.state = enrolled_used(enrolled, entry.ticket.id) ? "used"
                  : time(NULL) > entry.ticket.until        ? "late"
                                                           : "open";
    call(context, &entry);
    sodium_memzero(&entry, sizeof(entry));
}

/* All of them, in the order of their ids. 0 or a negative errno. */
static int each(const struct config *config, entry_fn *call, void *context, struct diag *ret_diag)
{
    struct enrolled enrolled;
    struct dirent **names = NULL;
    int r = enrolled_read(config->enrolled, &enrolled, ret_diag);

    if (r < 0)
        return r;
    int count = scandir(config->invitations, &names, is_ticket, alphasort);
    if (count < 0 && errno != ENOENT)
        r = diag_errno(ret_diag, mem_errno(), config->invitations);
    for (int i = 0; i < count; i++) {
        one(config, &enrolled, names[i]->d_name, call, context);
        free(names[i]);
    }
    free(names);
    enrolled_free(&enrolled);
    return r;
}

/* ---- listing --------------------------------------------------------------------------------- */

static void print_words(void *context, const struct entry *entry)
{
    char until[CTL_TIME];

    (void)context;
    ctl_format_time(entry->ticket.until, until);
    printf("%s  %s  %s  %s\n", entry->id, entry->state, until, entry->ticket.line);
}

static void print_json(void *context, const struct entry *entry)
{
    (void)context;
    json_open(stdout);
    json_string(stdout, "id", slice_of(entry->id));
    json_string(stdout, "state", slice_of(entry->state));
    json_number(stdout, "until", (uint64_t)entry->ticket.until);
    json_string(stdout, "name", slice_of(entry->ticket.name));
    json_string(stdout, "line", slice_of(entry->ticket.line));
    json_close(stdout);
}

int ctl_invitations_list(const struct ctl *ctl, const struct config *config)
{
    struct diag diag;
    int r = each(config, ctl->json ? print_json : print_words, NULL, &diag);

    if (r == 0)
        return CTL_OK;
    ctl_say_refused(r, diag.text, NULL);
    return CTL_FAILED;
}

/* ---- removing -------------------------------------------------------------------------------- */

int ctl_invitations_withdraw(const struct ctl *ctl, const struct config *config, const char *id)
{
    uint8_t bytes[ENROL_ID];
    struct diag diag;

    if (invitation_id_parse(slice_of(id), bytes) < 0) {
        log_error("not the id of an invitation, 16 hex digits: %s", id);
        return CTL_USAGE;
    }
    int r = ticket_remove(config->invitations, bytes, &diag);
    if (r == -ENOENT)
        log_error("there is no invitation %s; msgctl invite --list shows which there are", id);
    else if (r < 0)
        ctl_say_refused(r, diag.text, NULL);
    if (r < 0)
        return CTL_FAILED;
    if (ctl->json) {
        json_open(stdout);
        json_string(stdout, "id", slice_of(id));
        json_bool(stdout, "withdrawn", true);
        json_close(stdout);
    } else {
        printf("invitation %s is withdrawn\n", id);
    }
    return CTL_OK;
}

struct tidying {
    const struct config *config;
    unsigned left;
};

static void tidy_one(void *context, const struct entry *entry)
{
    struct tidying *tidying = context;
    struct diag diag;

    if (strcmp(entry->state, "open") == 0 ||
        ticket_remove(tidying->config->invitations, entry->ticket.id, &diag) < 0)
        tidying->left++;
}

int ctl_invitations_tidy(const struct config *config)
{
    struct tidying tidying = {.config = config};
    struct diag diag;

    if (each(config, tidy_one, &tidying, &diag) < 0)
        log_error("%s", diag.text);
    else if (tidying.left >= LIM_INVITATIONS)
        log_error("%s: there are %u invitations already; withdraw some", config->invitations,
                  tidying.left);
    else
        return CTL_OK;
    return CTL_FAILED;
}
