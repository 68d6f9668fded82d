/* SPDX-License-Identifier: MIT */
/*
 * To whom and what: targets, title, answers and text from the command line, a file, stdin or a
 * prompt. All that can be refused is refused here, before anything is connected.
 */
#ifndef MSG_CLIENT_COMPOSE_H
#define MSG_CLIENT_COMPOSE_H

#include "client/answers.h"
#include "client/options.h"
#include "client/speak.h"
#include "client/targets.h"

struct compose {
    const struct options *options;
    const struct speaker *speaker;
    struct targets targets;
    char *text, *title; /* text NULL: to be asked for */
    size_t text_len, title_len;
    struct answers answers;
};

/* Everything but a prompted text. 0, or the exit status after saying why. */
int compose_read(struct compose *compose, const struct options *options,
                 const struct speaker *speaker);
void compose_release(struct compose *compose);

/* No text yet: it is asked for at the terminal once the targets are known to be there. */
bool compose_wants_prompt(const struct compose *compose);
int compose_prompt(struct compose *compose);

#endif
