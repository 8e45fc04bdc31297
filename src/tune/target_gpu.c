/* SPDX-License-Identifier: MIT
 *
 * Settings of NVIDIA GPUs ("ITEM UUID"), and the MPS daemon.
 */
#include <string.h>
#include <unistd.h>

#include "host/nvml_set.h"
#include "host/pid.h"
#include "tune/target.h"

/* Splits "ITEM UUID"; the UUID, or NULL when there is none. */
static const char *split(const struct pit_cell *cell, char *item, size_t size)
{
	const char *blank = strchr(cell->object, ' ');

	if (!blank || (size_t)(blank - cell->object) >= size)
		return NULL;
	memcpy(item, cell->object, (size_t)(blank - cell->object));
	item[blank - cell->object] = '\0';
	return blank + 1;
}

static int read_gpu(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf out = PIT_BUF_INIT;
	char item[32];
	const char *uuid = split(cell, item, sizeof(item));
	int rc = uuid ? pit_nvml_item(root, uuid, item, &out, err) : pit_fail(err, EINVAL, "GPU item %s", cell->object);

	if (rc)
		return rc;
	*ret = pit_buf_take(&out);
	return *ret ? 0 : pit_fail(err, ENOMEM, "out of memory");
}

static int write_gpu(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	char item[32];
	const char *uuid = split(cell, item, sizeof(item));

	if (!pit_place_is_live(place))
		return pit_fail(err, EOPNOTSUPP, "a rehearsal has no GPU");
	if (!uuid || !value)
		return pit_fail(err, EINVAL, "GPU item %s", cell->object);
	return pit_nvml_set(uuid, item, value, err);
}

/* What nvidia-smi wants for an item; `option` is followed by the value as `words` translates it. */
static const struct {
	const char *item, *option;
	struct {
		const char *value, *word;
	} words[5];
} commands[] = {
	{.item = "persistence", .option = "-pm", .words = {{"on", "1"}, {"off", "0"}}},
	{.item = "power-limit", .option = "-pl"},
	{.item = "compute-mode",
	 .option = "-c",
	 .words = {{"default", "0"}, {"exclusive-thread", "1"}, {"prohibited", "2"}, {"exclusive-process", "3"}}},
	{.item = "ecc", .option = "-e", .words = {{"on", "1"}, {"off", "0"}}},
	{.item = "mig", .option = "-mig", .words = {{"on", "1"}, {"off", "0"}}},
};

static void shell_option(size_t row, const char *uuid, const char *value, struct pit_buf *out)
{
	for (size_t i = 0; i < PIT_COUNT(commands[row].words) && commands[row].words[i].value; i++)
		if (!strcmp(value, commands[row].words[i].value))
			value = commands[row].words[i].word;
	pit_buf_printf(out, "nvidia-smi -i %s %s %s\n", uuid, commands[row].option, value);
}

/* "3g.40gb@0 2g.20gb@4" as nvidia-smi has it: "3g.40gb:0,2g.20gb:4". */
static void shell_layout(const char *uuid, const char *value, struct pit_buf *out)
{
	pit_buf_printf(out, "nvidia-smi mig -i %s -dci || :\nnvidia-smi mig -i %s -dgi || :\n", uuid, uuid);
	if (!strcmp(value, "none"))
		return;
	pit_buf_printf(out, "nvidia-smi mig -i %s -C -cgi ", uuid);
	for (; *value; value++)
		pit_buf_putc(out, *value == '@' ? ':' : *value == ' ' ? ',' : *value);
	pit_buf_putc(out, '\n');
}

static void shell_gpu(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	char item[32];
	const char *uuid = split(cell, item, sizeof(item));
	int mem, sm;

	if (!uuid || !value)
		return;
	if (!strcmp(item, "mig-layout"))
		shell_layout(uuid, value, out);
	if (!strcmp(item, "clocks") && sscanf(value, "%d %d", &mem, &sm) == 2)
		pit_buf_printf(out, "nvidia-smi -i %s -ac %d,%d\n", uuid, mem, sm);
	for (size_t i = 0; i < PIT_COUNT(commands); i++)
		if (!strcmp(item, commands[i].item))
			shell_option(i, uuid, value, out);
}

const struct pit_target pit_target_gpu = {
	.name = "gpu", .runtime = true, .read = read_gpu, .write = write_gpu, .shell = shell_gpu};

static int read_mps(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	struct pit_procs procs = {0};
	bool runs;
	int rc = pit_procs_load(root, &procs, err);

	if (rc)
		return rc;
	runs = pit_procs_named(&procs, "nvidia-cuda-mps-control") != NULL;
	pit_procs_free(&procs);
	*ret = runs ? strdup("running") : NULL;
	return runs && !*ret ? pit_fail(err, ENOMEM, "out of memory") : 0;
}

/* The daemon ends a moment after it was told to; its clients are ended with it. */
static int wait_for_end(struct pit_place *place, const struct pit_cell *cell, struct pit_error *err)
{
	for (int i = 0; i < 100; i++) {
		pit_auto_free char *now = NULL;
		int rc = read_mps(pit_place_now(place), cell, &now, err);

		if (rc || !now)
			return rc;
		usleep(100000);
	}
	return pit_fail(err, ETIMEDOUT, "the MPS daemon did not end within 10 s; it waits for its clients");
}

static int write_mps(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	static const char *const start[] = {"nvidia-cuda-mps-control", "-d", NULL};
	static const char *const stop[] = {"sh", "-c", "echo quit | nvidia-cuda-mps-control", NULL};
	int rc = pit_place_command(place, value ? start : stop, 30, NULL, err);

	if (rc)
		return pit_wrap(err, rc, "cannot %s the MPS daemon", value ? "start" : "stop");
	return value ? 0 : wait_for_end(place, cell, err);
}

static void shell_mps(const struct pit_cell *cell, const char *value, struct pit_buf *out)
{
	pit_buf_puts(out, value ? "nvidia-cuda-mps-control -d\n" : "echo quit | nvidia-cuda-mps-control\n");
}

const struct pit_target pit_target_mps = {
	.name = "mps", .runtime = true, .read = read_mps, .write = write_mps, .shell = shell_mps};
