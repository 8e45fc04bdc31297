/* SPDX-License-Identifier: MIT
 *
 * Every recorded machine of the cases' machines/EXPECTED.jsonl against the model that topo makes of it, and every other
 * archive there for loading without harm. Speaks TAP; ends with a table of how many fields agree, and names each that
 * does not.
 *
 *	test_machines [CASE]		(the cases lie in $PITCREW_CASES)
 */
#include <fcntl.h>
#include <glob.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../tempdir.h"
#include "topo/model.h"

extern char **environ;

enum field {
	ONLINE_CPUS,
	NUMA_NODES,
	CPU_NODES,
	MEM_ONLY_NODES,
	PACKAGES,
	CORES,
	TOTAL_MEM,
	ALLOWED_CPUS,
	ALLOWED_MEMS,
	GPUS,
	FIELDS,
};

static const char *const field_names[FIELDS] = {
	[ONLINE_CPUS] = "online_cpus",   [NUMA_NODES] = "numa_nodes",
	[CPU_NODES] = "cpu_nodes",       [MEM_ONLY_NODES] = "mem_only_nodes",
	[PACKAGES] = "packages",         [CORES] = "cores",
	[TOTAL_MEM] = "total_mem_kb",    [ALLOWED_CPUS] = "allowed_cpus",
	[ALLOWED_MEMS] = "allowed_mems", [GPUS] = "gpus",
};

/* Where our answer differs and can be defended. */
static const struct {
	const char *name, *field, *reason;
} justified[] = {
	{.name = "procfs-fixtures",
	 .field = "allowed_cpus",
	 .reason = "/proc/self/status says 0-7 and the tree has three CPUs: we cut to what is online"},
	{.name = "elastic-docker",
	 .field = "allowed_cpus",
	 .reason = "the mount shows another container's group than the process is in: nothing can be translated"},
	{.name = "elastic-docker", .field = "allowed_mems", .reason = "as allowed_cpus"},
	{.name = NULL},
};

static struct {
	int number, failed;
	int agree[FIELDS], total[FIELDS];
	struct pit_strv archives; /* of cases that were tried */
} tally;

/* In memory where that is possible: the trees have many small files. */
static void make_dir(char *ret, size_t size)
{
	tempdir_new_in(access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", ret, size);
}

static bool run(const char *const argv[])
{
	posix_spawn_file_actions_t quiet;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
	if (!posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *)argv, environ))
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&quiet);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool unpack(const char *archive, const char *dir)
{
	size_t len = strlen(archive);

	if (len > 4 && !strcmp(archive + len - 4, ".zip"))
		return run((const char *[]){"unzip", "-q", archive, "-d", dir, NULL});
	return run((const char *[]){"tar", "-C", dir, "-xf", archive, NULL});
}

static bool shell(const char *command, const char *a, const char *b)
{
	return run((const char *[]){"sh", "-c", command, "sh", a, b, NULL});
}

/* Some archives are parts that go to a place of their own, as the cases' README says. */
static bool put_together(const char *cases, const char *name, char *root, size_t size)
{
	char part[512];

	snprintf(part, sizeof(part), "%s", root);
	if (!strncmp(name, "kfd-", 4)) {
		snprintf(root, size, "%s.root", part);
		return shell("d=\"$2/sys/class/kfd/kfd\"; [ -d \"$1/topology\" ] || d=\"$d/topology\"; "
			     "mkdir -p \"$(dirname \"$d\")\" && mv \"$1\" \"$d\"",
			     part, root);
	}
	if (!strcmp(name, "node_exporter"))
		return shell(
			"ln -s \"$2/machines/node_exporter/fixtures/proc\" \"$1/proc\"; cp -rL \"$1/proc\" \"$1/p\" && "
			"rm \"$1/proc\" && mv \"$1/p\" \"$1/proc\"",
			part, cases);
	if (!strncmp(name, "elastic-", 8))
		return shell(
			"cd \"$1\" && sed -i \"s# testdata/${1##*/}/# /#\" proc/self/mountinfo && "
			"for p in 985 2233801 3757; do [ ! -f proc/$p/cgroup ] || cp proc/$p/cgroup proc/self/; done",
			part, part);
	return true;
}

static json_t *set_or_null(const struct pit_idset *s)
{
	pit_auto_buf struct pit_buf text = PIT_BUF_INIT;

	pit_idset_print(s, &text);
	return text.len ? json_string(text.data) : json_null();
}

static json_t *number(int64_t n)
{
	return n >= 0 ? json_integer(n) : json_null();
}

/* Nodes that have only memory; -1 when a node without CPUs does not tell its memory. */
static int count_mem_only(const struct pit_topo *t)
{
	int count = 0;

	for (size_t i = 0; i < t->nodes; i++) {
		if (pit_idset_is_empty(&t->node[i].cpus) && t->node[i].mem_kb < 0)
			return -1;
		count += t->node[i].mem_only;
	}
	return t->nodes_known ? count : -1;
}

static int count_cpu_nodes(const struct pit_topo *t)
{
	int count = 0;

	for (size_t i = 0; i < t->nodes; i++)
		count += !pit_idset_is_empty(&t->node[i].cpus);
	return t->nodes_known ? count : -1;
}

static json_t *ours(const struct pit_topo *t, enum field field)
{
	size_t gpus = pit_topo_count(t, PIT_DEVICE_GPU);

	switch (field) {
	case ONLINE_CPUS:
		return t->cpus.count ? json_integer(t->cpus.count) : json_null();
	case NUMA_NODES:
		return number(t->nodes_known ? (int)t->nodes : -1);
	case CPU_NODES:
		return number(count_cpu_nodes(t));
	case MEM_ONLY_NODES:
		return number(count_mem_only(t));
	case PACKAGES:
		return number(t->packages);
	case CORES:
		return number(t->cores);
	case TOTAL_MEM:
		return number(t->mem_kb);
	case ALLOWED_CPUS:
		return set_or_null(&t->allowed.cpus);
	case ALLOWED_MEMS:
		return set_or_null(&t->allowed.mems);
	default:
		return number(t->pci_known || gpus ? (int)gpus : -1);
	}
}

static bool is_accepted(const json_t *expected, const char *field, const json_t *value)
{
	json_t *other;
	size_t i;

	if (json_equal(json_object_get(expected, field), value))
		return true;
	json_array_foreach(json_object_get(json_object_get(expected, "accept"), field), i,
			   other) if (json_equal(other, value)) return true;
	return false;
}

static const char *reason_for(const char *name, const char *field)
{
	for (size_t i = 0; justified[i].name; i++)
		if (!strcmp(justified[i].name, name) && !strcmp(justified[i].field, field))
			return justified[i].reason;
	return NULL;
}

/* Number of fields that differ without a reason. */
static int compare(const json_t *expected, const char *name, const struct pit_topo *t)
{
	int unexplained = 0;

	for (enum field f = 0; f < FIELDS; f++) {
		json_t *value = ours(t, f);
		bool same = is_accepted(expected, field_names[f], value);

		tally.total[f]++;
		tally.agree[f] += same;
		if (!same) {
			char *want = json_dumps(json_object_get(expected, field_names[f]), JSON_ENCODE_ANY);
			char *have = json_dumps(value, JSON_ENCODE_ANY);
			const char *reason = reason_for(name, field_names[f]);

			printf("# %s: %s is %s, expected %s: %s\n", name, field_names[f], have, want,
			       reason ? reason : "no reason known");
			unexplained += !reason;
			free(want);
			free(have);
		}
		json_decref(value);
	}
	return unexplained;
}

static void report(bool ok, const char *name, const char *why)
{
	tally.failed += !ok;
	printf("%s %d - %s%s%s\n", ok ? "ok" : "not ok", ++tally.number, name, why ? ": " : "", why ? why : "");
	fflush(stdout);
}

/* Loads the tree; NULL `expected`: it only must not harm. */
static void try_tree(const char *name, const char *dir, const json_t *expected)
{
	pit_auto_root struct pit_root *root = NULL;
	struct pit_error err = PIT_ERROR_INIT;
	struct pit_topo *t = NULL;

	if (pit_root_open(dir, &root, &err) || pit_topo_load(root, &t, &err))
		report(false, name, err.text);
	else
		report(!expected || compare(expected, name, t) == 0, name, NULL);
	pit_topo_free(t);
}

static void try_case(const char *cases, const json_t *expected)
{
	const char *name = json_string_value(json_object_get(expected, "case"));
	char archive[512], dir[64], root[512];

	snprintf(archive, sizeof(archive), "%s/%s", cases, json_string_value(json_object_get(expected, "archive")));
	pit_strv_add(&tally.archives, archive);
	make_dir(dir, sizeof(dir));
	snprintf(root, sizeof(root), "%s/%s", dir, json_string_value(json_object_get(expected, "root")));
	if (access(archive, R_OK))
		report(false, name, "the archive is missing");
	else if (!unpack(archive, dir) || !put_together(cases, name, root, sizeof(root)))
		report(false, name, "cannot be unpacked");
	else
		try_tree(name, root, expected);
	tempdir_remove(dir);
}

/* All archives below machines/, as roots and as one directory below. */
static void try_archive(const char *archive)
{
	char dir[64], pattern[128];
	glob_t roots;

	make_dir(dir, sizeof(dir));
	if (!unpack(archive, dir))
		return report(false, archive, "cannot be unpacked");
	snprintf(pattern, sizeof(pattern), "%s{,/*/}", dir);
	if (!glob(pattern, GLOB_BRACE | GLOB_ONLYDIR, NULL, &roots)) {
		for (size_t i = 0; i < roots.gl_pathc; i++) {
			char name[512];

			snprintf(name, sizeof(name), "loads: %s%s", strrchr(archive, '/') + 1,
				 roots.gl_pathv[i] + strlen(dir));
			try_tree(name, roots.gl_pathv[i], NULL);
		}
		globfree(&roots);
	}
	tempdir_remove(dir);
}

static void try_archives(const char *cases)
{
	char pattern[512];
	glob_t archives;

	snprintf(pattern, sizeof(pattern), "%s/machines/*/*.tar*", cases);
	if (glob(pattern, 0, NULL, &archives))
		return;
	for (size_t i = 0; i < archives.gl_pathc; i++)
		if (!pit_strv_has(&tally.archives, archives.gl_pathv[i]))
			try_archive(archives.gl_pathv[i]);
	globfree(&archives);
}

static void print_table(void)
{
	int agree = 0, total = 0;

	printf("# table %-16s %5s %5s\n", "field", "agree", "of");
	for (enum field f = 0; f < FIELDS; f++) {
		printf("# table %-16s %5d %5d\n", field_names[f], tally.agree[f], tally.total[f]);
		agree += tally.agree[f];
		total += tally.total[f];
	}
	printf("# table %-16s %5d %5d  %.1f%%\n", "all", agree, total, total ? 100.0 * agree / total : 0.0);
}

int main(int argc, char **argv)
{
	const char *cases = getenv("PITCREW_CASES");
	char path[512], line[65536];
	FILE *f;

	if (!cases)
		cases = "../shared/cases";
	snprintf(path, sizeof(path), "%s/machines/EXPECTED.jsonl", cases);
	f = fopen(path, "re");
	if (!f) {
		printf("1..0 # SKIP %s not present (recorded machines)\n", path);
		return 0;
	}
	while (fgets(line, sizeof(line), f)) {
		json_t *expected = json_loads(line, 0, NULL);

		if (!expected ||
		    (argc > 1 && strcmp(argv[1], json_string_value(json_object_get(expected, "case"))) != 0))
			continue;
		try_case(cases, expected);
		json_decref(expected);
	}
	fclose(f);
	if (argc < 2)
		try_archives(cases);
	print_table();
	printf("1..%d\n", tally.number);
	pit_strv_free(&tally.archives);
	return tally.failed > 0;
}
