/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../tempdir.h"
#include "tune/resolve.h"

/* Two GPUs as the fact "nvml" tells them: 0 is idle and can all, 1 is busy and old. */
static const char fact[] =
	"{\"driver\":\"550\",\"count\":2,\"gpus\":["
	"{\"index\":0,\"uuid\":\"GPU-a\",\"pci\":\"0000:65:00.0\",\"persistence\":0,\"compute_mode\":0,"
	"\"ecc\":{\"current\":1,\"pending\":1},\"power\":{\"limit\":500000,\"default\":700000,\"min\":200000,\"max\":700000},"
	"\"clocks\":{\"sm_app\":1500,\"mem_app\":2619,\"sm_max\":1980,\"mem_max\":2619,\"sm_app_default\":1830,"
	"\"mem_app_default\":2619},\"processes\":[],\"mig\":{\"current\":1,\"pending\":1,\"layout\":\"1g.10gb@0\","
	"\"profiles\":[{\"name\":\"1g.10gb\",\"size\":1,\"starts\":[0,1,2,3,4,5,6]},{\"name\":\"3g.40gb\",\"size\":4,"
	"\"starts\":[0,4]}]}},"
	"{\"index\":1,\"uuid\":\"GPU-b\",\"pci\":\"0000:ca:00.0\",\"persistence\":1,\"compute_mode\":0,"
	"\"mig\":{\"current\":0,\"pending\":0},\"processes\":[{\"pid\":7},{\"pid\":8}]}]}";

/* What each GPU's wish is: "OBJECT=VALUE" or "OBJECT!REASON", separated by ";". */
static const struct {
	const char *knob, *which, *value, *wishes;
	int rc;
} rows[] = {
	{"gpu.persistence", NULL, "on", "persistence GPU-a=on;persistence GPU-b=on", 0},
	{"gpu.persistence", "GPU-b", "off", "persistence GPU-b=off", 0},
	{"gpu.persistence", "0000:65:*", "on", "persistence GPU-a=on", 0},
	{"gpu.persistence", "1", "on", "persistence GPU-b=on", 0},
	{"gpu.persistence", NULL, "always", "", -EINVAL},
	{"gpu.power-limit", "0", "default", "power-limit GPU-a=700", 0},
	{"gpu.power-limit", "0", "350.5", "power-limit GPU-a=350.5", 0},
	{"gpu.power-limit", "0", "900", "power-limit GPU-a!its power limit can be 200 to 700 W", 0},
	{"gpu.power-limit", "1", "max", "power-limit GPU-b!this GPU has no power limit to set", 0},
	{"gpu.power-limit", "0", "lots", "", -EINVAL},
	{"gpu.clocks", "0", "max", "clocks GPU-a=2619 1980", 0},
	{"gpu.clocks", "0", "default", "clocks GPU-a=2619 1830", 0},
	{"gpu.clocks", "0", "2619 1200", "clocks GPU-a=2619 1200", 0},
	{"gpu.clocks", "0", "1200", "", -EINVAL},
	{"gpu.clocks", "1", "max", "clocks GPU-b!this GPU has no application clocks", 0},
	{"gpu.compute-mode", "0", "exclusive-process", "compute-mode GPU-a=exclusive-process", 0},
	{"gpu.compute-mode", "1", "exclusive-process", "compute-mode GPU-b!several processes share it now", 0},
	{"gpu.compute-mode", "1", "default", "compute-mode GPU-b=default", 0},
	{"gpu.compute-mode", "1", "mine", "", -EINVAL},
	{"gpu.ecc", "0", "off", "ecc GPU-a=off", 0},
	{"gpu.mig", "0", "on", "mig GPU-a=on", 0},
	{"gpu.mig", "1", "on", "mig GPU-b!processes use it; the mode changes on an idle GPU only", 0},
	{"gpu.mig", "1", "off", "mig GPU-b=off", 0},
	{"gpu.mig", "0", "3g.40gb 3g.40gb", "mig-layout GPU-a=3g.40gb@0 3g.40gb@4", 0},
	{"gpu.mig", "0", "1g.10gb", "mig-layout GPU-a=1g.10gb@0", 0},
	{"gpu.mig", "0", "9g.90gb", "", -EINVAL},
	{"gpu.mig", "1", "1g.10gb",
	 "mig-layout GPU-b!MIG is off: set gpu.mig=on first and reset the GPU, then divide it", 0},
};

static void print_wishes(const struct pit_wishes *w, struct pit_buf *out)
{
	for (size_t i = 0; i < w->wishes; i++)
		pit_buf_printf(out, "%s%s%s%s", i ? ";" : "", w->wish[i].cell.object, w->wish[i].refuse ? "!" : "=",
			       w->wish[i].refuse ? w->wish[i].refuse : w->wish[i].value);
}

/* A scene over a recording with this NVML fact (NULL none). */
static struct pit_scene *scene_of(const char *dir, const char *nvml, struct pit_root **ret_root)
{
	struct pit_scene *scene = NULL;

	tempdir_file(dir, "/proc/meminfo", "MemTotal: 1000000 kB\n");
	tempdir_file(dir, "/.pitcrew/missing", "");
	if (nvml)
		tempdir_file(dir, "/.pitcrew/fact/nvml", nvml);
	assert_int_equal(pit_root_open(dir, ret_root, NULL), 0);
	assert_int_equal(pit_scene_new(*ret_root, &scene, NULL), 0);
	return scene;
}

static void resolves(void **state)
{
	char dir[64];
	struct pit_root *root = NULL;
	struct pit_scene *scene;

	tempdir_new(dir, sizeof(dir));
	scene = scene_of(dir, fact, &root);
	for (size_t i = 0; i < PIT_COUNT(rows); i++) {
		const struct pit_knob knob = {.id = rows[i].knob, .target = PIT_TARGET_GPU};
		const struct pit_setting setting = {
			.knob = &knob, .which = (char *)rows[i].which, .value = (char *)rows[i].value};
		pit_auto_buf struct pit_buf text = PIT_BUF_INIT;
		struct pit_error err = PIT_ERROR_INIT;
		struct pit_wishes w = {0};

		assert_int_equal(pit_resolve_gpu(&setting, scene, &w, &err), rows[i].rc);
		assert_int_equal(err.text[0] != '\0', rows[i].rc != 0);
		print_wishes(&w, &text);
		assert_string_equal(text.data, rows[i].wishes);
		pit_wishes_free(&w);
	}
	pit_scene_free(scene);
	pit_root_close(root);
	tempdir_remove(dir);
}

static void says_what_is_absent(void **state)
{
	const struct pit_knob knob = {.id = "gpu.ecc", .target = PIT_TARGET_GPU};
	struct pit_setting setting = {.knob = &knob, .value = (char *)"on"};
	struct pit_wishes none = {0}, other = {0}, mps = {0};
	char dir[64], dir2[64];
	struct pit_root *root = NULL, *root2 = NULL;
	struct pit_scene *scene, *scene2;

	tempdir_new(dir, sizeof(dir));
	tempdir_new(dir2, sizeof(dir2));
	scene = scene_of(dir, NULL, &root);
	scene2 = scene_of(dir2, fact, &root2);
	assert_int_equal(pit_resolve_gpu(&setting, scene, &none, NULL), 0);
	assert_non_null(none.absent);
	setting.which = (char *)"GPU-z";
	assert_int_equal(pit_resolve_gpu(&setting, scene2, &other, NULL), 0);
	assert_string_equal(other.absent, "no GPU is GPU-z");
	setting.value = (char *)"running";
	assert_int_equal(pit_resolve_mps(&setting, scene2, &mps, NULL), 0);
	assert_string_equal(mps.absent, "nvidia-cuda-mps-control is not installed");
	pit_wishes_free(&none);
	pit_wishes_free(&other);
	pit_wishes_free(&mps);
	pit_scene_free(scene);
	pit_scene_free(scene2);
	pit_root_close(root);
	pit_root_close(root2);
	tempdir_remove(dir);
	tempdir_remove(dir2);
}

static void resolves_mps(void **state)
{
	const struct pit_knob knob = {.id = "gpu.mps", .target = PIT_TARGET_MPS};
	struct pit_setting setting = {.knob = &knob, .value = (char *)"running"};
	struct pit_wishes run = {0}, halt = {0}, bad = {0};
	char dir[64];
	struct pit_root *root = NULL;
	struct pit_scene *scene;

	tempdir_new(dir, sizeof(dir));
	tempdir_file(dir, "/usr/bin/nvidia-cuda-mps-control", "");
	scene = scene_of(dir, fact, &root);
	assert_int_equal(pit_resolve_mps(&setting, scene, &run, NULL), 0);
	assert_string_equal(run.wish[0].value, "running");
	setting.value = (char *)"stopped";
	assert_int_equal(pit_resolve_mps(&setting, scene, &halt, NULL), 0);
	assert_null(halt.wish[0].value);
	setting.value = (char *)"on";
	assert_int_equal(pit_resolve_mps(&setting, scene, &bad, NULL), -EINVAL);
	pit_wishes_free(&run);
	pit_wishes_free(&halt);
	pit_wishes_free(&bad);
	pit_scene_free(scene);
	pit_root_close(root);
	tempdir_remove(dir);
}

static const struct {
	const char *object, *value, *shell;
} lines[] = {
	{"persistence GPU-a", "on", "nvidia-smi -i GPU-a -pm 1\n"},
	{"power-limit GPU-a", "350.5", "nvidia-smi -i GPU-a -pl 350.5\n"},
	{"clocks GPU-a", "2619 1980", "nvidia-smi -i GPU-a -ac 2619,1980\n"},
	{"compute-mode GPU-a", "exclusive-process", "nvidia-smi -i GPU-a -c 3\n"},
	{"ecc GPU-a", "off", "nvidia-smi -i GPU-a -e 0\n"},
	{"mig GPU-a", "on", "nvidia-smi -i GPU-a -mig 1\n"},
	{"mig-layout GPU-a", "3g.40gb@0 1g.10gb@4",
	 "nvidia-smi mig -i GPU-a -dci || :\nnvidia-smi mig -i GPU-a -dgi || :\n"
	 "nvidia-smi mig -i GPU-a -C -cgi 3g.40gb:0,1g.10gb:4\n"},
};

static void prints_commands(void **state)
{
	for (size_t i = 0; i < PIT_COUNT(lines); i++) {
		const struct pit_cell cell = {
			.target = PIT_TARGET_GPU, .kind = PIT_VALUE_TEXT, .object = (char *)lines[i].object};
		pit_auto_buf struct pit_buf out = PIT_BUF_INIT;

		pit_target_gpu.shell(&cell, lines[i].value, &out);
		assert_string_equal(out.data, lines[i].shell);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resolves),
		cmocka_unit_test(says_what_is_absent),
		cmocka_unit_test(resolves_mps),
		cmocka_unit_test(prints_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
