/* SPDX-License-Identifier: MIT
 *
 * The questions to the library itself. Runs in the helper process only.
 */
#include <dlfcn.h>
#include <string.h>

#include "host/nvml_abi.h"
#include "host/nvml_ask.h"

/* The loader's own path first; then where drivers put it that are not on that path: WSL, GPU Operator, GKE, NixOS. */
static const char *const places[] = {
	"libnvidia-ml.so.1",
	"/usr/lib/wsl/lib/libnvidia-ml.so.1",
	"/usr/lib64/libnvidia-ml.so.1",
	"/usr/local/nvidia/lib64/libnvidia-ml.so.1",
	"/run/nvidia/driver/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1",
	"/run/nvidia/driver/usr/lib/aarch64-linux-gnu/libnvidia-ml.so.1",
	"/run/nvidia/driver/usr/lib64/libnvidia-ml.so.1",
	"/home/kubernetes/bin/nvidia/lib64/libnvidia-ml.so.1",
	"/run/opengl-driver/lib/libnvidia-ml.so.1",
};

void *pit_nvml_symbol(void *library, const char *name, const char *other)
{
	void *found = dlsym(library, name);

	return found || !other ? found : dlsym(library, other);
}

void *pit_nvml_open(const char *library)
{
	void *found = NULL;

	if (library)
		return dlopen(library, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < PIT_COUNT(places) && !found; i++)
		found = dlopen(places[i], RTLD_NOW | RTLD_LOCAL);
	return found;
}

static void send_line(json_t *object, FILE *out)
{
	json_dumpf(object, out, JSON_COMPACT);
	fputc('\n', out);
	fflush(out);
	json_decref(object);
}

static void add_text(void *lib, const char *name, json_t *to, const char *key)
{
	int (*ask)(char *, unsigned) = (int (*)(char *, unsigned))pit_nvml_symbol(lib, name, NULL);
	char text[96] = "";

	if (ask && ask(text, sizeof(text)) == PIT_NVML_OK)
		json_object_set_new(to, key, json_string(text));
}

/* 13.1 as 13010. */
static void add_cuda(void *lib, json_t *to)
{
	int (*ask)(int *) = (int (*)(int *))pit_nvml_symbol(lib, "nvmlSystemGetCudaDriverVersion_v2",
							    "nvmlSystemGetCudaDriverVersion");
	int version;

	if (ask && ask(&version) == PIT_NVML_OK)
		json_object_set_new(to, "cuda", json_integer(version));
}

static unsigned count_gpus(void *lib)
{
	int (*ask)(unsigned *) =
		(int (*)(unsigned *))pit_nvml_symbol(lib, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount");
	unsigned count = 0;

	return ask && ask(&count) == PIT_NVML_OK && count <= 1024 ? count : 0;
}

void pit_nvml_query(const char *library, FILE *out)
{
	void *lib = pit_nvml_open(library);
	int (*init)(void) = NULL;
	json_t *first;
	unsigned count;
	int code = PIT_NVML_NO_LIBRARY;

	if (lib)
		init = (int (*)(void))pit_nvml_symbol(lib, "nvmlInit_v2", "nvmlInit");
	if (init)
		code = init();
	if (code != PIT_NVML_OK) {
		send_line(json_pack("{s:i}", "error", code), out);
		return;
	}
	first = json_object();
	add_text(lib, "nvmlSystemGetDriverVersion", first, "driver");
	add_text(lib, "nvmlSystemGetNVMLVersion", first, "nvml");
	add_cuda(lib, first);
	count = count_gpus(lib);
	json_object_set_new(first, "count", json_integer(count));
	send_line(first, out);
	for (unsigned i = 0; i < count; i++)
		send_line(pit_nvml_query_gpu(lib, i), out);
}
