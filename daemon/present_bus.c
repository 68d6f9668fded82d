/* SPDX-License-Identifier: MIT */
#include "daemon/present_bus.h"

static int start(sd_bus *bus, sd_event *event, const char *address)
{
    int r = sd_bus_set_address(bus, address);
    if (r >= 0)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_start(bus);
    return r < 0 ? r : sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
}

int bus_open(sd_event *event, const char *address, const struct bus_match *matches, size_t count,
             void *userdata, sd_bus **ret_bus)
{
    sd_bus *bus;
    int r = sd_bus_new(&bus);
    if (r < 0)
        return r;
    r = start(bus, event, address);
    for (size_t i = 0; r >= 0 && i < count; i++)
        r = sd_bus_add_match_async(bus, NULL, matches[i].rule, matches[i].handler, NULL, userdata);
    if (r < 0) {
        bus_drop(bus);
        return r;
    }
    *ret_bus = bus;
    return 0;
}

void bus_drop(sd_bus *bus)
{
    if (!bus)
        return;
    sd_bus_detach_event(bus);
    sd_bus_close(bus);
    sd_bus_unref(bus);
}
