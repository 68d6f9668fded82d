/* SPDX-License-Identifier: MIT */
#include "client/doctor.h"

#include "client/json.h"
#include "common/mem.h"
#include "common/text.h"

#include <stdarg.h>

enum { HERE = 1, THERE = 2, BOTH = HERE | THERE };

static const struct {
    const char *name;
    unsigned where;
    int status;
    unsigned needs; /* a set of 1 << enum doctor_check */
} CHECK_ROWS[] = {
#define CHECK(ID, name, where, status, needs) {name, where, status, needs},
#include "client/doctor.def"
};

_Static_assert(CHECKS <= 32, "a set of checks is an unsigned");

/* ---- findings -------------------------------------------------------------------------------- */

#define PUT(out, format)                                                                           \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        vsnprintf((out), sizeof(out), format, arguments);                                          \
        va_end(arguments);                                                                         \
    } while (0)

void check_ok(struct finding *finding, const char *format, ...)
{
    finding->state = CHECK_OK;
    PUT(finding->found, format);
}

void check_skip(struct finding *finding, const char *format, ...)
{
    finding->state = CHECK_SKIPPED;
    PUT(finding->found, format);
}

void check_fail(struct finding *finding, const char *format, ...)
{
    finding->state = CHECK_FAILS;
    PUT(finding->found, format);
}

static void set_place(struct finding *finding, bool there, const char *as)
{
    finding->there = there;
    snprintf(finding->as, sizeof(finding->as), "%s", as);
}

void check_mend(struct finding *finding, const char *format, ...)
{
    set_place(finding, false, "");
    PUT(finding->mend, format);
}

void check_mend_as_root(struct finding *finding, const char *format, ...)
{
    set_place(finding, false, AS_ROOT);
    PUT(finding->mend, format);
}

void check_mend_there(struct finding *finding, const char *as, const char *format, ...)
{
    set_place(finding, true, as);
    PUT(finding->mend, format);
}

/* The length of FILE in "FILE:LINE: ", and the line; 0: it does not begin so. */
static size_t find_place(const char *text, unsigned long *ret_line)
{
    for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':')) {
        char *end = NULL;
        *ret_line = at[1] >= '1' && at[1] <= '9' ? strtoul(at + 1, &end, 10) : 0;
        if (*ret_line > 0 && end[0] == ':' && end[1] == ' ')
            return (size_t)(at - text);
    }
    return 0;
}

void check_fail_diag(struct finding *finding, const struct diag *diag)
{
    static const char before[] = "; run: ";
    const char *command = strstr(diag->text, before);
    unsigned long line = 0;
    size_t file = find_place(diag->text, &line);

    if (command) {
        check_fail(finding, "%.*s", (int)(command - diag->text), diag->text);
        check_mend(finding, "%s", command + sizeof(before) - 1);
        return;
    }
    check_fail(finding, "%s", diag->text);
    if (file > 0)
        check_mend(finding, "editor +%lu %.*s", line, (int)file, diag->text);
}

/* ---- printing -------------------------------------------------------------------------------- */

static const char *const STATES[] = {"ok", "fails", "skipped"};

static void print_place(const struct doctor *doctor, const struct finding *finding)
{
    char host[TEXT_ESCAPED(256)], as[TEXT_ESCAPED(sizeof(finding->as))];

    fputs("        type", doctor->out);
    if (finding->there && !doctor->local) {
        text_escape(slice_of(doctor->host), TEXT_ONE_LINE, host, sizeof(host));
        fprintf(doctor->out, " on %s", host);
    } else {
        fputs(" here", doctor->out);
    }
    if (finding->as[0]) {
        text_escape(slice_of(finding->as), TEXT_ONE_LINE, as, sizeof(as));
        fprintf(doctor->out, ", as %s", as);
    }
    fputs(":  ", doctor->out);
}

static void print_words(const struct doctor *doctor, unsigned number, const char *name,
                        const struct finding *finding)
{
    char text[TEXT_ESCAPED(sizeof(finding->mend))];

    text_escape(slice_of(finding->found), TEXT_ONE_LINE, text, sizeof(text));
    fprintf(doctor->out, "%2u. %-7s  %s: %s\n", number, STATES[finding->state], name, text);
    if (finding->state != CHECK_FAILS || !finding->mend[0])
        return;
    text_escape(slice_of(finding->mend), TEXT_ONE_LINE, text, sizeof(text));
    print_place(doctor, finding);
    fprintf(doctor->out, "%s\n", text);
}

static void print_object(const struct doctor *doctor, unsigned number, const char *name,
                         const struct finding *finding)
{
    bool mend = finding->state == CHECK_FAILS && finding->mend[0];

    json_open(doctor->out);
    json_number(doctor->out, "number", number);
    json_string(doctor->out, "name", slice_of(name));
    json_string(doctor->out, "state", slice_of(STATES[finding->state]));
    json_string(doctor->out, "found", slice_of(finding->found));
    if (mend) {
        json_string(doctor->out, "mend", slice_of(finding->mend));
        json_string(doctor->out, "on",
                    slice_of(finding->there && !doctor->local ? doctor->host : ""));
        json_string(doctor->out, "as", slice_of(finding->as));
    }
    json_close(doctor->out);
}

/* ---- the course ------------------------------------------------------------------------------ */

struct course {
    unsigned lacking;     /* the set of those that failed or were not tried */
    size_t roots[CHECKS]; /* of one that lacks: the first that did, itself perhaps */
    unsigned numbers[CHECKS], number;
    int status;
};

/* The first that keeps a check from being tried; CHECKS if none does. */
static size_t find_root(const struct course *course, size_t check)
{
    unsigned lacking = CHECK_ROWS[check].needs & course->lacking;
    size_t i = 0;

    while (i < CHECKS && !(lacking & 1u << i))
        i++;
    return i < CHECKS ? course->roots[i] : CHECKS;
}

/* False: it was stopped. */
static bool take(const struct doctor *doctor, struct course *course, size_t check,
                 check_function function, void *context)
{
    struct finding finding = {.state = CHECK_OK};
    size_t root = find_root(course, check);

    if (root < CHECKS)
        check_skip(&finding, "needs %u, %s", course->numbers[root], CHECK_ROWS[root].name);
    else
        function(context, &finding);
    if (finding.state == CHECK_STOPPED)
        return false;
    course->roots[check] = root < CHECKS ? root : check;
    if (finding.state != CHECK_OK)
        course->lacking |= 1u << check;
    if (finding.state == CHECK_FAILS && course->status == CTL_OK)
        course->status = CHECK_ROWS[check].status;
    course->numbers[check] = ++course->number;
    (doctor->json ? print_object : print_words)(doctor, course->number, CHECK_ROWS[check].name,
                                                &finding);
    fflush(doctor->out);
    return true;
}

int doctor_run(const struct doctor *doctor, const check_function functions[CHECKS], void *context,
               bool *ret_stopped)
{
    struct course course = {.status = CTL_OK};
    unsigned where = doctor->local ? HERE : THERE;

    *ret_stopped = false;
    for (size_t i = 0; i < CHECKS && !*ret_stopped; i++)
        if (CHECK_ROWS[i].where & where)
            *ret_stopped = !take(doctor, &course, i, functions[i], context);
    return *ret_stopped ? CTL_OK : course.status;
}
