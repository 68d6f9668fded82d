/* SPDX-License-Identifier: MIT */
#include "protocol/wire.h"

void wire_writer_init(struct wire_writer *writer, uint8_t *buffer, size_t capacity)
{
    *writer = (struct wire_writer){.buffer = buffer, .capacity = capacity};
}
