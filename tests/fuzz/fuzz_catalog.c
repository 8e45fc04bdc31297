/* SPDX-License-Identifier: MIT
 *
 * The whole catalogue over a recorded machine of which one file holds the input: the first two bytes choose which. The
 * machine is a snapshot, unpacked where $PITCREW_FUZZ_TREE says; the list of its files is read once.
 */
#include <ftw.h>
#include <stdio.h>

#include "base/strv.h"
#include "check/run.h"
#include "fuzz.h"
#include "host/answer.h"

static struct pit_strv paths;
static size_t prefix;

static int note_path(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return type == FTW_F ? pit_strv_add(&paths, path + prefix) : 0;
}

static const char *tree(void)
{
	const char *dir = getenv("PITCREW_FUZZ_TREE");

	if (!dir) {
		fputs("PITCREW_FUZZ_TREE: no recorded machine\n", stderr);
		exit(1);
	}
	if (!paths.count) {
		prefix = strlen(dir);
		nftw(dir, note_path, 32, FTW_PHYS);
		pit_strv_sort(&paths);
	}
	return dir;
}

/* ".pitcrew/KIND/NAME" -> the kind; else a file. The names there are escaped and stay so: those answers are then new
 * ones. */
static enum pit_kind kind_of(const char *path, const char **ret_name)
{
	for (int k = 0; k < PIT_KINDS; k++) {
		char head[32];
		int n = snprintf(head, sizeof(head), "/.pitcrew/%s/", pit_kind_names[k]);

		if (!strncmp(path, head, (size_t)n)) {
			*ret_name = path + n;
			return (enum pit_kind)k;
		}
	}
	*ret_name = path;
	return PIT_KIND_FILE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pit_facts_options options = {.workload = size & 1 ? PIT_TRAINING : PIT_INFERENCE};
	struct pit_selection all = {0};
	struct pit_report report = {0};
	struct pit_facts *facts = NULL;
	struct pit_root *root = NULL;
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	const char *name;
	enum pit_kind kind;

	if (size < 2 || pit_root_open(tree(), &root, NULL))
		return 0;
	kind = kind_of(paths.item[(data[0] << 8 | data[1]) % paths.count], &name);
	if (pit_root_put(root, kind, name, data + 2, size - 2) || pit_facts_new(root, &options, &facts, NULL) ||
	    pit_check_run(facts, &all, NULL, &report, NULL) || pit_report_json(&report, &out))
		abort();
	pit_report_free(&report);
	pit_facts_free(facts);
	pit_root_close(root);
	return 0;
}
