/* SPDX-License-Identifier: MIT
 *
 * GPUs of NVIDIA: from NVML, which shows what a container or a device cgroup leaves us; where it cannot be asked, from
 * the driver's files and the PCI bus.
 */
#include <inttypes.h>
#include <string.h>

#include "host/nvml.h"
#include "host/procfs.h"
#include "launch/site_parts.h"

struct find {
	struct pit_root *root;
	const struct pit_device **device; /* of the PCI bus, in its order; CUDA and NVML number them so */
	size_t devices;
	struct pit_site *s;
	struct pit_cards *cards;
};

static void copy_text(char *to, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text && *text)
		snprintf(to, size, "%s", text);
}

static int number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	json_int_t n = json_integer_value(value);

	return json_is_integer(value) && n >= 0 && n <= INT32_MAX ? (int)n : -1;
}

static void name_card(struct pit_card *card, const char *uuid)
{
	snprintf(card->gpu.uuid, sizeof(card->gpu.uuid), "%s", uuid);
	if (*uuid)
		snprintf(card->gpu.visible, sizeof(card->gpu.visible), "%s", uuid);
}

static int add_instances(struct find *f, const struct pit_card *whole, const json_t *devices)
{
	const json_t *one;
	size_t i;
	int rc = 0;

	json_array_foreach(devices, i, one)
	{
		struct pit_card card = *whole;
		char uuid[sizeof(card.gpu.uuid)] = "";

		card.gpu.mig = true;
		card.gi = number_of(one, "gi");
		card.ci = number_of(one, "ci");
		copy_text(uuid, sizeof(uuid), one, "uuid");
		copy_text(card.gpu.name, sizeof(card.gpu.name), one, "name");
		name_card(&card, uuid);
		if (!*uuid)
			*card.gpu.visible = '\0';
		rc = rc ? rc : pit_cards_add(f->cards, &card);
	}
	if (!json_array_size(devices))
		return pit_strv_addf(&f->s->notes,
				     "GPU %d (%s) is in MIG mode and has no instance: nothing can run on it",
				     whole->index, whole->gpu.pci);
	return rc;
}

static const struct pit_device *device_at(const struct find *f, const char *pci)
{
	for (size_t i = 0; i < f->devices; i++)
		if (pit_same_pci(f->device[i]->pci, pci))
			return f->device[i];
	return NULL;
}

static int add_told(struct find *f, const json_t *gpu, int position)
{
	const json_t *mig = json_object_get(gpu, "mig");
	int index = number_of(gpu, "index");
	struct pit_card card;
	char pci[24] = "";

	index = index < 0 ? position : index;
	copy_text(pci, sizeof(pci), gpu, "pci");
	if (json_object_get(gpu, "error"))
		return pit_strv_addf(&f->s->notes, "GPU %d cannot be asked (NVML error %d) and is left out", index,
				     number_of(gpu, "error"));
	pit_card_of_device(f->s, device_at(f, pci), index, &card);
	snprintf(card.gpu.pci, sizeof(card.gpu.pci), "%s", pci);
	card.gpu.vendor = PIT_PCI_NVIDIA;
	copy_text(card.gpu.name, sizeof(card.gpu.name), gpu, "name");
	copy_text(card.whole, sizeof(card.whole), gpu, "uuid");
	name_card(&card, card.whole);
	if (number_of(mig, "current") == 1)
		return add_instances(f, &card, json_object_get(mig, "devices"));
	return pit_cards_add(f->cards, &card);
}

static bool is_told(const json_t *gpus, const char *pci)
{
	const json_t *gpu;
	size_t i;

	json_array_foreach(gpus, i, gpu)
	{
		const char *told = json_string_value(json_object_get(gpu, "pci"));

		if (told && pit_same_pci(told, pci))
			return true;
	}
	return false;
}

/* GPUs that the driver has and NVML does not show to us. */
static int note_hidden(struct find *f, const json_t *nvml)
{
	const json_t *gpus = json_object_get(nvml, "gpus");
	const char *why = json_string_value(json_object_get(nvml, "incomplete"));
	size_t hidden = 0;

	if (why)
		return pit_strv_addf(&f->s->notes, "NVML did not name all GPUs: %s", why);
	for (size_t i = 0; i < f->devices; i++)
		hidden += !strcmp(f->device[i]->driver, "nvidia") && !is_told(gpus, f->device[i]->pci);
	if (!hidden)
		return 0;
	return pit_strv_addf(&f->s->notes,
			     "%zu of this host's %zu GPUs are hidden from this job (device cgroup or container)",
			     hidden, f->devices);
}

static int from_nvml(struct find *f, const json_t *nvml)
{
	const json_t *gpus = json_object_get(nvml, "gpus"), *gpu;
	size_t i;
	int rc = 0;

	snprintf(f->cards->from, sizeof(f->cards->from), "NVML");
	json_array_foreach(gpus, i, gpu) if (!rc) rc = add_told(f, gpu, (int)i);
	return rc ? rc : note_hidden(f, nvml);
}

/* Other drivers give a GPU to a guest, or to a screen. */
static bool is_driven(const struct pit_device *d)
{
	return !*d->driver || !strcmp(d->driver, "nvidia");
}

/* The driver says the UUID once it has woken the GPU; "GPU-????????-..." until then. */
static void ask_driver(struct pit_root *root, struct pit_card *card, int *ret_minor)
{
	struct pit_text text;
	char uuid[64];
	uint64_t minor;

	*ret_minor = -1;
	if (pit_root_read(root, &text, "/proc/driver/nvidia/gpus/%s/information", card->gpu.pci))
		return;
	if (!pit_kv_u64(text.data, "Device Minor", &minor) && minor < 1024)
		*ret_minor = (int)minor;
	(void)pit_kv_str(text.data, "Model", card->gpu.name, sizeof(card->gpu.name));
	if (pit_kv_str(text.data, "GPU UUID", uuid, sizeof(uuid)) || strchr(uuid, '?') || strncmp(uuid, "GPU-", 4) != 0)
		return;
	snprintf(card->whole, sizeof(card->whole), "%s", uuid);
	name_card(card, uuid);
}

/* A live GPU without its device file is not for us; recordings do not tell. */
static bool has_file(struct pit_root *root, int minor)
{
	if (!pit_root_is_live(root))
		return true;
	return minor < 0 ? !pit_root_exists(root, "/dev/nvidiactl") : !pit_root_exists(root, "/dev/nvidia%d", minor);
}

static int from_pci(struct find *f, const char *why_not)
{
	size_t unusable = 0;
	int rc = 0, index = 0;

	for (size_t i = 0; i < f->devices && !rc; i++) {
		struct pit_card card;
		int minor;

		pit_card_of_device(f->s, f->device[i], index, &card);
		ask_driver(f->root, &card, &minor);
		if (!is_driven(f->device[i]) || !has_file(f->root, minor)) {
			unusable++;
			continue;
		}
		index++;
		rc = pit_cards_add(f->cards, &card);
	}
	if (!rc && unusable)
		rc = pit_strv_addf(&f->s->notes, "%zu of this host's %zu NVIDIA GPUs are not for this job: %s",
				   unusable, f->devices, "no device file or another driver");
	if (rc || !f->cards->count)
		return rc;
	snprintf(f->cards->from, sizeof(f->cards->from), "the PCI bus");
	return pit_strv_addf(
		&f->s->notes,
		"GPUs are taken from the PCI bus, in its order (%s): whether MIG divides them or a scheduler "
		"hides some is not known",
		why_not);
}

int pit_site_find_nvidia(struct pit_root *root, const struct pit_topo *t, struct pit_site *s, struct pit_cards *ret)
{
	pit_auto_free const struct pit_device **device = NULL;
	struct find f = {.root = root, .s = s, .cards = ret};
	struct pit_error err = PIT_ERROR_INIT;
	json_t *nvml = NULL;
	int rc = pit_site_gpus_by_pci(t, PIT_PCI_NVIDIA, &device, &f.devices), asked;

	if (rc)
		return rc;
	f.device = device;
	asked = pit_nvml_load(root, &nvml, &err);
	if (!asked)
		rc = from_nvml(&f, nvml);
	else if (asked == -ENODEV && f.devices)
		rc = pit_strv_addf(&s->notes, "%zu NVIDIA GPUs cannot be used: %s", f.devices, err.text);
	else if (f.devices)
		rc = from_pci(&f, err.text);
	json_decref(nvml);
	return rc;
}
