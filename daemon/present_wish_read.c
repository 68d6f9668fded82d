/* SPDX-License-Identifier: MIT */
#include "daemon/present_wish_read.h"

#include "common/mem.h"
#include "common/receive.h"
#include "daemon/present_become.h"
#include "daemon/present_child.h"

#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

_Static_assert(sizeof(struct wish_answer) <= CHILD_ANSWER, "an answer is one datagram");

/* ---- in the child ---------------------------------------------------------------------------- */

/* Enough for a name service and one file; no other process, no byte on a disk. */
static int limit_resources(void)
{
    static const struct {
        int which;
        rlim_t most;
    } limits[] = {{RLIMIT_FSIZE, 0}, {RLIMIT_CPU, 1}, {RLIMIT_NOFILE, 32}, {RLIMIT_NPROC, 0}};
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        const struct rlimit limit = {limits[i].most, limits[i].most};
        if (setrlimit((__rlimit_resource_t)limits[i].which, &limit) < 0)
            return mem_errno();
    }
    return 0;
}

/* Whoever changes his uid loses the signal that comes with his parent's death. */
static int become(const struct wish_order *order)
{
    int r = limit_resources();
    if (r == 0)
        r = become_user(order->uid, order->gid);
    if (r == 0)
        r = become_powerless();
    if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        r = mem_errno();
    return r;
}

static int find_file(const struct wish_order *order, char path[static PATH_MAX])
{
    const struct passwd *user = order->file[0] == '/' ? NULL : getpwuid(order->uid);
    int len;
    if (order->file[0] == '/')
        len = snprintf(path, PATH_MAX, "%s", order->file);
    else if (user && user->pw_dir && user->pw_dir[0] == '/')
        len = snprintf(path, PATH_MAX, "%s/%s", user->pw_dir, order->file);
    else
        return -ENOENT;
    return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int read_wish(const struct wish_order *order, char text[static LIM_RECEIVE_FILE + 1],
                     struct receive *ret_receive, size_t *ret_line)
{
    char path[PATH_MAX];
    const char *reason;
    size_t len;
    int r = become(order);
    if (r == 0)
        r = find_file(order, path);
    if (r == 0)
        r = receive_read(path, order->uid, text, &len);
    if (r == 0)
        r = receive_parse((struct slice){text, len}, ret_receive, ret_line, &reason);
    return r;
}

void wish_read(int socket, const void *argument)
{
    const struct wish_order *order = argument;
    char text[LIM_RECEIVE_FILE + 1];
    struct receive receive = {.wish = RECEIVE_ON};
    struct wish_answer answer = {0};
    size_t line = 0;
    answer.error = read_wish(order, text, &receive, &line);
    answer.line = (uint32_t)line;
    for (size_t i = 0; i < order->n; i++) {
        if (receive_hears(&receive, order->senders[i].name, order->senders[i].local))
            answer.heard[i / 8] |= (uint8_t)(1U << i % 8);
    }
    child_answer(socket, &answer, sizeof(answer));
}

/* ---- in the parent --------------------------------------------------------------------------- */

int wish_answer_read(const void *bytes, size_t len, struct wish_answer *ret_answer)
{
    struct wish_answer answer;
    if (len != sizeof(answer))
        return -EBADMSG;
    memcpy(&answer, bytes, sizeof(answer));
    if (answer.error > 0 || (answer.line > 0) != (answer.error == -EBADMSG) ||
        answer.line > LIM_RECEIVE_FILE)
        return -EBADMSG;
    *ret_answer = answer;
    return 0;
}
