/* SPDX-License-Identifier: MIT */
#include "check/nvidia.h"

#include <ctype.h>
#include <string.h>

#include "base/parse.h"
#include "check/walk.h"

/* The first word of the line that looks like a version. */
static int take_version(const char *line, char *ret, size_t size)
{
	for (const char *at = line; *at && *at != '\n'; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t\n");

		if (isdigit((unsigned char)*at) && memchr(at, '.', len) && strspn(at, "0123456789.") == len) {
			snprintf(ret, size, "%.*s", (int)len, at);
			return 0;
		}
		at += len;
	}
	return -EBADMSG;
}

int pit_nvidia_module(struct pit_root *root, char *ret, size_t size, bool *ret_open)
{
	struct pit_text text;
	char line[128];
	int rc = pit_root_read(root, &text, "/proc/driver/nvidia/version");
	const char *nvrm = rc ? NULL : strstr(text.data, "NVRM version:");

	if (ret_open)
		*ret_open = nvrm && strstr(nvrm, "Open Kernel Module");
	if (nvrm && !take_version(nvrm, ret, size))
		return 0;
	rc = pit_root_str(root, line, sizeof(line), "/sys/module/nvidia/version");
	return rc ? rc : take_version(line, ret, size);
}

int pit_nvidia_driver(struct pit_facts *f, char *ret, size_t size)
{
	const json_t *nvml;
	const char *driver;

	if (!pit_nvidia_module(pit_facts_root(f), ret, size, NULL))
		return 0;
	if (pit_facts_nvml(f, &nvml, NULL))
		return -ENOENT;
	driver = json_string_value(json_object_get(nvml, "driver"));
	if (!driver)
		return -ENOENT;
	snprintf(ret, size, "%s", driver);
	return 0;
}

static const char *const library_dirs[] = {
	"/usr/lib/x86_64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu",
	"/usr/lib64",
	"/usr/lib/wsl/lib",
	"/usr/lib/x86_64-linux-gnu/nvidia/current",
	"/usr/lib/aarch64-linux-gnu/nvidia/current",
	"/usr/lib",
	"/usr/local/nvidia/lib64",
	"/run/nvidia/driver/usr/lib/x86_64-linux-gnu",
	"/run/nvidia/driver/usr/lib/aarch64-linux-gnu",
	"/run/nvidia/driver/usr/lib64",
	"/home/kubernetes/bin/nvidia/lib64",
	"/run/opengl-driver/lib",
};

int pit_nvidia_find_library(struct pit_root *root, const char *name, char *ret, size_t size)
{
	int rc, worst = -ENOENT;

	for (size_t i = 0; i < PIT_COUNT(library_dirs); i++) {
		rc = pit_root_exists(root, "%s/%s", library_dirs[i], name);
		if (!rc) {
			snprintf(ret, size, "%s/%s", library_dirs[i], name);
			return 0;
		}
		if (pit_root_state(rc) != PIT_STATE_ABSENT)
			worst = rc;
	}
	return worst;
}

int pit_nvidia_file_version(const char *path, char *ret, size_t size)
{
	const char *so = strstr(path, ".so."), *version = so ? so + 4 : "";
	size_t len = strspn(version, "0123456789.");

	if (version[len] || !strchr(version, '.') || len >= size)
		return -ENOENT;
	snprintf(ret, size, "%s", version);
	return 0;
}

int pit_nvidia_library_version(struct pit_root *root, const char *path, char *ret, size_t size)
{
	char file[4096];

	return pit_walk(root, path, NULL, NULL, file, sizeof(file)) ? -ENOENT
								    : pit_nvidia_file_version(file, ret, size);
}

static int cuda_of_json(const char *text, char *ret, size_t size)
{
	json_t *all = json_loads(text, 0, NULL);
	const char *version = json_string_value(json_object_get(json_object_get(all, "cuda"), "version"));
	int rc = version && *version ? 0 : -EBADMSG;

	if (!rc)
		snprintf(ret, size, "%s", version);
	json_decref(all);
	return rc;
}

int pit_cuda_toolkit(struct pit_root *root, const char *home, char *ret, size_t size, char *ret_where,
		     size_t where_size)
{
	struct pit_text text;
	int rc;

	snprintf(ret_where, where_size, "%s/version.json", home);
	rc = pit_root_read(root, &text, "%s", ret_where);
	if (!rc)
		return cuda_of_json(text.data, ret, size);
	if (pit_root_state(rc) != PIT_STATE_ABSENT)
		return rc;
	snprintf(ret_where, where_size, "%s/version.txt", home); /* before 11.1 */
	rc = pit_root_read(root, &text, "%s", ret_where);
	if (rc)
		return rc;
	if (strncmp(text.data, "CUDA Version ", 13) != 0)
		return -EBADMSG;
	pit_first_line(text.data + 13, ret, size);
	return 0;
}
