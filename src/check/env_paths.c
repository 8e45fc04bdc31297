/* SPDX-License-Identifier: MIT
 *
 * Variables that are lists of directories or files.
 */
#include <string.h>

#include "check/nvidia.h"
#include "check/env.h"
#include "check/offenders.h"

/* Directories of tools that somebody put there on purpose: missing ones are a mistake, unlike /usr/games. */
static bool is_tool_dir(const char *path)
{
	static const char *const words[] = {"cuda", "rocm", "conda", "venv", "nvidia", "/opt/", "hpcx", "openmpi"};

	for (size_t i = 0; i < PIT_COUNT(words); i++)
		if (strstr(path, words[i]))
			return true;
	return false;
}

struct dirs {
	struct pit_offenders danger, missing;
	size_t count, absent;
};

static void judge_dir(struct pit_facts *f, const char *name, const char *dir, struct dirs *d, struct pit_finding *out)
{
	struct pit_stat st;
	int rc;

	d->count++;
	if (!*dir) {
		pit_problem(&d->danger, out, name, "an empty entry: the current directory");
		return;
	}
	if (*dir != '/') {
		if (*dir != '$')
			pit_problem(&d->danger, out, name, "relative entry %s", dir);
		return;
	}
	rc = pit_root_stat(pit_facts_root(f), &st, "%s", dir);
	if (pit_root_state(rc) == PIT_STATE_ABSENT) {
		d->absent++;
		if (is_tool_dir(dir))
			pit_problem(&d->missing, out, name, "no directory %s", dir);
	} else if (pit_root_state(rc) == PIT_STATE_TIMED_OUT) {
		pit_problem(&d->danger, out, name, "%s does not answer", dir);
	} else if (!rc && (st.mode & 0002) && !(st.mode & 01000)) {
		pit_problem(&d->danger, out, name, "%s is writable by all", dir);
	}
}

/* Danger as the row says; missing directories are style. */
static int verdict(struct dirs *d, struct pit_finding *out)
{
	if (d->danger.count)
		return pit_bad(out, "%s", pit_offenders_text(&d->danger));
	if (d->missing.count)
		return pit_judge(out, PIT_WARN, PIT_STYLE, "%s", pit_offenders_text(&d->missing));
	if (d->absent)
		return pit_pass(out, "%zu directories, %zu of them missing", d->count, d->absent);
	return pit_pass(out, "%zu director%s", d->count, d->count == 1 ? "y" : "ies");
}

static int judge_list(struct pit_facts *f, const char *name, struct dirs *d, const char **ret_value,
		      struct pit_finding *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv dirs = {0};
	int rc = pit_env_get(f, name, ret_value, err);

	if (!rc && *ret_value && **ret_value)
		rc = pit_env_split(*ret_value, ':', &dirs);
	for (size_t i = 0; i < dirs.count && !rc; i++)
		judge_dir(f, name, dirs.item[i], d, out);
	return rc;
}

int pit_env_path_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	struct dirs d = {0};
	const char *value;
	int rc = judge_list(f, "PATH", &d, &value, out, err);

	if (rc)
		return rc;
	pit_want(out, "absolute directories that exist and only their owner writes");
	if (!value || !*value)
		return pit_bad(out, value ? "empty" : "unset");
	return verdict(&d, out);
}

int pit_env_library_path_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			       struct pit_error *err)
{
	struct dirs d = {0};
	const char *value;
	int rc = judge_list(f, "LD_LIBRARY_PATH", &d, &value, out, err);

	if (rc)
		return rc;
	pit_want(out, "absolute directories that exist, no empty entry");
	return value && *value ? verdict(&d, out) : pit_pass(out, "unset");
}

/* "12.4.1"; false when the toolkit in `dir` does not say. */
static bool toolkit_version(struct pit_facts *f, const char *dir, char *ret, size_t size)
{
	char where[640];

	return !pit_cuda_toolkit(pit_facts_root(f), dir, ret, size, where, sizeof(where));
}

int pit_env_nvcc_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv dirs = {0};
	const char *path, *first = NULL;
	char version[16] = "", other[16], root[512];
	size_t found = 0;
	int rc = pit_env_get(f, "PATH", &path, err);

	if (!rc && path)
		rc = pit_strv_split(&dirs, path, ":");
	if (rc)
		return rc;
	pit_want(out, "one CUDA toolkit on PATH");
	for (size_t i = 0; i < dirs.count; i++) {
		if (pit_root_exists(pit_facts_root(f), "%s/nvcc", dirs.item[i]))
			continue;
		snprintf(root, sizeof(root), "%s/..", dirs.item[i]);
		if (!toolkit_version(f, root, other, sizeof(other)))
			other[0] = '\0';
		pit_evidence(out, "PATH", "%s/nvcc%s%s", dirs.item[i], *other ? " of CUDA " : "", other);
		if (found++ == 0) {
			first = dirs.item[i];
			memcpy(version, other, sizeof(version));
		} else if (*version && *other && strcmp(version, other) != 0) {
			return pit_bad(out, "%s/nvcc (%s) hides that of CUDA %s", first, version, other);
		}
	}
	if (!found)
		return pit_skip(out, "no nvcc on PATH");
	return pit_pass(out, "%s/nvcc%s%s", first, *version ? ", CUDA " : "", version);
}

int pit_env_stub_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out, struct pit_error *err)
{
	pit_auto_strv struct pit_strv dirs = {0};
	const char *value;
	int rc = pit_env_get(f, "LD_LIBRARY_PATH", &value, err);

	if (!rc && value)
		rc = pit_strv_split(&dirs, value, ":");
	if (rc)
		return rc;
	pit_want(out, "no directory 'stubs' in LD_LIBRARY_PATH");
	for (size_t i = 0; i < dirs.count; i++) {
		const char *dir = dirs.item[i];

		if (!strstr(dir, "/stubs"))
			continue;
		pit_evidence(out, "LD_LIBRARY_PATH", "%s", dir);
		if (!pit_root_exists(pit_facts_root(f), "%s/libcuda.so.1", dir))
			return pit_judge(out, PIT_FAIL, PIT_RISK, "%s/libcuda.so.1 hides the driver's", dir);
		return pit_bad(out, "%s", dir);
	}
	return pit_pass(out, dirs.count ? "no stubs" : "unset");
}

int pit_env_libcuda_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_strv struct pit_strv dirs = {0};
	const char *value, *target;
	char module[64], version[64];
	int rc = pit_env_get(f, "LD_LIBRARY_PATH", &value, err);

	if (!rc && value)
		rc = pit_strv_split(&dirs, value, ":");
	if (rc)
		return rc;
	if (pit_nvidia_driver(f, module, sizeof(module)))
		return pit_skip(out, "no NVIDIA kernel module is loaded");
	pit_want(out, "libcuda of driver %s, or a newer one in a directory 'compat'", module);
	for (size_t i = 0; i < dirs.count; i++) {
		const char *dir = dirs.item[i];

		if (pit_root_link(pit_facts_root(f), &target, "%s/libcuda.so.1", dir) ||
		    pit_nvidia_file_version(target, version, sizeof(version)))
			continue;
		pit_evidence(out, "LD_LIBRARY_PATH", "%s/libcuda.so.1 -> %s, the module is %s", dir, target, module);
		if (!strcmp(version, module))
			return pit_pass(out, "%s in %s", version, dir);
		if (strstr(dir, "compat") && strverscmp(version, module) > 0)
			return pit_pass(out, "%s in %s, newer than %s", version, dir, module);
		return pit_bad(out, "libcuda %s in %s, module %s", version, dir, module);
	}
	return pit_pass(out, "the one of the system");
}

/* CUDA of the driver, 12040 for 12.4; 0 not known. */
static int driver_cuda(struct pit_facts *f)
{
	const json_t *nvml;

	return pit_facts_nvml(f, &nvml, NULL) ? 0 : (int)json_integer_value(json_object_get(nvml, "cuda"));
}

static void judge_toolkit(struct pit_facts *f, const char *name, const char *dir, struct pit_offenders *p,
			  struct pit_finding *out)
{
	int driver = driver_cuda(f);
	char version[16];

	if (pit_env_is_missing(f, dir)) {
		pit_problem(p, out, name, "no directory %s", dir);
		return;
	}
	if (!pit_root_exists(pit_facts_root(f), "%s", dir) &&
	    pit_root_exists(pit_facts_root(f), "%s/bin/nvcc", dir) == -ENOENT)
		pit_problem(p, out, name, "no bin/nvcc in %s", dir);
	if (!toolkit_version(f, dir, version, sizeof(version)))
		return;
	pit_evidence(out, name, "%s is CUDA %s", dir, version);
	if (driver && atoi(version) > driver / 1000)
		pit_problem(p, out, name, "CUDA %s, the driver serves %d.%d", version, driver / 1000,
			    driver % 1000 / 10);
}

int pit_env_cuda_home_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			    struct pit_error *err)
{
	static const char *const names[] = {"CUDA_HOME", "CUDA_PATH"};
	struct pit_offenders p = {0};
	const char *value[PIT_COUNT(names)];

	for (size_t i = 0; i < PIT_COUNT(names); i++) {
		int rc = pit_env_get(f, names[i], &value[i], err);

		if (rc)
			return rc;
		if (value[i] && *value[i])
			judge_toolkit(f, names[i], value[i], &p, out);
	}
	pit_want(out, "a toolkit that exists and that the driver serves");
	if (value[0] && value[1] && *value[0] && *value[1] && strcmp(value[0], value[1]) != 0)
		pit_problem(&p, out, "CUDA_PATH", "%s, but CUDA_HOME=%s", value[1], value[0]);
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return pit_pass(out, "%s", value[0] ? value[0] : value[1] ? value[1] : "unset");
}

/* The N of the first "python3.N" in a path; 0 none. */
static int python_minor(const char *path)
{
	const char *at = strstr(path, "python3.");

	return at ? atoi(at + 8) : 0;
}

/* The Python that PATH gives, by its link (python3 -> python3.11); 0 not known. */
static int python_on_path(struct pit_facts *f)
{
	pit_auto_strv struct pit_strv dirs = {0};
	const char *path = pit_facts_env(f, "PATH"), *target;

	if (path)
		pit_strv_split(&dirs, path, ":");
	for (size_t i = 0; i < dirs.count; i++) {
		if (!pit_root_link(pit_facts_root(f), &target, "%s/python3", dirs.item[i]) && python_minor(target))
			return python_minor(target);
		if (!pit_root_exists(pit_facts_root(f), "%s/python3", dirs.item[i]))
			return 0;
	}
	return 0;
}

int pit_env_pythonpath_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			     struct pit_error *err)
{
	pit_auto_strv struct pit_strv dirs = {0};
	struct pit_offenders p = {0};
	const char *value;
	int python, rc = pit_env_get(f, "PYTHONPATH", &value, err);

	if (!rc && value && *value)
		rc = pit_env_split(value, ':', &dirs);
	if (rc)
		return rc;
	pit_want(out, "absolute directories of the Python that is used");
	python = python_on_path(f);
	for (size_t i = 0; i < dirs.count; i++) {
		const char *dir = dirs.item[i];

		if (!*dir)
			pit_problem(&p, out, "PYTHONPATH", "an empty entry: the current directory");
		else if (*dir != '/')
			pit_problem(&p, out, "PYTHONPATH", "relative entry %s", dir);
		else if (pit_env_is_missing(f, dir))
			pit_problem(&p, out, "PYTHONPATH", "no directory %s", dir);
		else if (python && python_minor(dir) && python_minor(dir) != python)
			pit_problem(&p, out, "PYTHONPATH", "%s, but python3 is 3.%d", dir, python);
	}
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return dirs.count ? pit_pass(out, "%zu directories", dirs.count) : pit_pass(out, "unset");
}

int pit_env_preload_probe(const struct pit_check *row, struct pit_facts *f, struct pit_finding *out,
			  struct pit_error *err)
{
	pit_auto_strv struct pit_strv files = {0};
	struct pit_offenders p = {0};
	const char *value;
	int rc = pit_env_get(f, "LD_PRELOAD", &value, err);

	if (!rc && value)
		rc = pit_strv_split(&files, value, " :");
	if (rc)
		return rc;
	pit_want(out, "files that exist");
	for (size_t i = 0; i < files.count; i++)
		if (*files.item[i] == '/' && !strchr(files.item[i], '$') && pit_env_is_missing(f, files.item[i]))
			pit_problem(&p, out, "LD_PRELOAD", "no file %s", files.item[i]);
	if (p.count)
		return pit_bad(out, "%s", pit_offenders_text(&p));
	return files.count ? pit_pass(out, "%s", value) : pit_pass(out, "unset");
}
