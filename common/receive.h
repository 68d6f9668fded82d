/* SPDX-License-Identifier: MIT */
/*
 * A user's own wish: whose messages are shown to him. One small file in his home, written by msgctl
 * receive and read by msgd-present; here is what both take it for. A line is
 *
 *   on | off | only NAME[, NAME]...
 *
 * and `only` may stand on several lines. NAME is a user of this host; network:NAME is who came
 * over the network under that name. A user's name cannot hold a colon, so neither passes for the
 * other. The parser is pure and owns nothing; names are borrowed from the text.
 */
#ifndef MSG_COMMON_RECEIVE_H
#define MSG_COMMON_RECEIVE_H

#include "common/lines.h"
#include "protocol/limits.h"

#include <sys/types.h>

#define RECEIVE_FILE    ".config/msg/receive" /* below the home that the system names */
#define RECEIVE_NETWORK "network:"

enum receive_wish { RECEIVE_ON, RECEIVE_OFF, RECEIVE_ONLY };
extern const char *const receive_words[]; /* as they are written: on, off, only */

struct receive {
    enum receive_wish wish;
    struct slice text; /* of RECEIVE_ONLY: where its names stand */
};

/*
 * A text without a wish is `on`. 0; or -EBADMSG with *ret_line, from 1, and *ret_reason, a literal.
 */
int receive_parse(struct slice text, struct receive *ret_receive, size_t *ret_line,
                  const char **ret_reason);

/* Is it a message of this sender's that he wants? `local`: the name is that of a user here. */
bool receive_hears(const struct receive *receive, struct slice name, bool local);

/* The names of RECEIVE_ONLY one by one, as they are written; false: there is none left. */
struct receive_names {
    struct lines lines;
    struct slice line;
};
struct receive_names receive_names(const struct receive *receive);
bool receive_names_next(struct receive_names *names, struct slice *ret_name);

/*
 * The text of a file that says so: word is on, off or only, names what stands behind it, may be
 * empty. 0; -EBADMSG with *ret_reason, a literal, where it could not be read back; -EFBIG.
 */
int receive_format(struct slice word, struct slice names, char out[static LIM_RECEIVE_FILE + 1],
                   size_t *ret_len, const char **ret_reason);

/*
 * Reads the file, never waiting for one that is none: text has room for LIM_RECEIVE_FILE bytes and
 * one more. 0; -ENOENT: there is none; or why it counts as none: -ELOOP (a link), -EINVAL (not a
 * regular file), -EPERM (not `owner`'s), -EFBIG, another errno.
 */
int receive_read(const char *path, uid_t owner, char text[static LIM_RECEIVE_FILE + 1],
                 size_t *ret_len);

#endif
