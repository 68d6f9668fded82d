/* SPDX-License-Identifier: MIT */
/*
 * Objects of JSON (RFC 8259), one a line, for programs that read what msg and msgctl print. Every
 * object begins with "schema": 1. Bytes that are not UTF-8 become U+FFFD; controls and what turns
 * the direction of writing are written as \uXXXX, so that a line is fit for a terminal too.
 */
#ifndef MSG_CLIENT_JSON_H
#define MSG_CLIENT_JSON_H

#include "protocol/slice.h"

#include <stdint.h>
#include <stdio.h>

void json_open(FILE *out);
void json_string(FILE *out, const char *key, struct slice value);
void json_number(FILE *out, const char *key, uint64_t value);
void json_bool(FILE *out, const char *key, bool value);
void json_close(FILE *out);

#endif
