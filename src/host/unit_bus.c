/* SPDX-License-Identifier: MIT
 *
 * Over libsystemd, loaded at run time. Its declarations stand here because building needs none of its headers; they are
 * those of sd-bus(3), unchanged since systemd 221.
 */
#include "host/unit_bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PRIVATE "unix:path=/run/systemd/private" /* systemd's own socket: root only, works without dbus-daemon */
#define SERVICE "org.freedesktop.systemd1"

struct bus; /* sd_bus */

struct library {
	int (*open_system)(struct bus **);
	int (*make)(struct bus **);
	int (*set_address)(struct bus *, const char *);
	int (*start)(struct bus *);
	int (*encode)(const char *prefix, const char *name, char **ret_path);
	int (*property)(struct bus *, const char *destination, const char *path, const char *interface,
			const char *member, void *error, char **ret);
};

static int load(struct library *l)
{
	const struct {
		void *function;
		const char *name;
	} all[] = {
		{.function = &l->open_system, .name = "sd_bus_open_system"},
		{.function = &l->make, .name = "sd_bus_new"},
		{.function = &l->set_address, .name = "sd_bus_set_address"},
		{.function = &l->start, .name = "sd_bus_start"},
		{.function = &l->encode, .name = "sd_bus_path_encode"},
		{.function = &l->property, .name = "sd_bus_get_property_string"},
	};
	void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return -ENOENT;
	for (size_t i = 0; i < PIT_COUNT(all); i++) {
		*(void **)all[i].function = dlsym(library, all[i].name);
		if (!*(void **)all[i].function)
			return -ENOENT;
	}
	return 0;
}

static int connect_bus(const struct library *l, struct bus **ret)
{
	int rc;

	if (geteuid())
		return l->open_system(ret);
	rc = l->make(ret);
	rc = rc < 0 ? rc : l->set_address(*ret, PRIVATE);
	return rc < 0 ? rc : l->start(*ret);
}

int pit_unit_bus_state(const char *unit, char *ret, size_t size)
{
	pit_auto_free char *path = NULL, *state = NULL;
	struct library l;
	struct bus *bus; /* never closed: the helper ends with its answer */
	int rc = load(&l);

	if (rc)
		return rc;
	rc = connect_bus(&l, &bus);
	rc = rc < 0 ? rc : l.encode("/org/freedesktop/systemd1/unit", unit, &path);
	rc = rc < 0 ? rc : l.property(bus, SERVICE, path, SERVICE ".Unit", "ActiveState", NULL, &state);
	if (rc < 0)
		return rc;
	snprintf(ret, size, "%s", state);
	return 0;
}
