/* SPDX-License-Identifier: MIT */
#include "tune/target.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

static const struct pit_target *const targets[PIT_TARGETS] = {
	[PIT_TARGET_SYSCTL] = &pit_target_sysctl,   [PIT_TARGET_KERNEL] = &pit_target_kernel,
	[PIT_TARGET_DIRTY] = &pit_target_dirty,     [PIT_TARGET_FILE] = &pit_target_file,
	[PIT_TARGET_DIR] = &pit_target_dir,         [PIT_TARGET_LINK] = &pit_target_link,
	[PIT_TARGET_SWAP] = &pit_target_swap,       [PIT_TARGET_MOUNT] = &pit_target_mount,
	[PIT_TARGET_SERVICE] = &pit_target_service, [PIT_TARGET_ENABLED] = &pit_target_enabled,
	[PIT_TARGET_BOOTARG] = &pit_target_bootarg, [PIT_TARGET_GPU] = &pit_target_gpu,
	[PIT_TARGET_MPS] = &pit_target_mps,
};

int pit_cell_set(struct pit_cell *c, enum pit_target_kind target, enum pit_value_kind kind, const char *fmt, ...)
{
	char *object;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&object, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	free(c->object);
	*c = (struct pit_cell){.target = target, .kind = kind, .object = object};
	return 0;
}

void pit_cell_free(struct pit_cell *c)
{
	pit_cleanup_free(&c->object);
	*c = (struct pit_cell){0};
}

bool pit_cell_equal(const struct pit_cell *a, const struct pit_cell *b)
{
	return a->target == b->target && !strcmp(a->object, b->object);
}

const struct pit_target *pit_target(enum pit_target_kind kind)
{
	return targets[kind];
}

int pit_target_find(const char *name)
{
	for (int i = 0; i < PIT_TARGETS; i++)
		if (!strcmp(targets[i]->name, name))
			return i;
	return -1;
}

int pit_cell_read(struct pit_root *root, const struct pit_cell *cell, char **ret, struct pit_error *err)
{
	return targets[cell->target]->read(root, cell, ret, err);
}

int pit_cell_write(struct pit_place *place, const struct pit_cell *cell, const char *value, struct pit_error *err)
{
	return targets[cell->target]->write(place, cell, value, err);
}

/* "ITEM THING" as "ITEM of THING". */
static void print_of(const char *object, char *out, size_t size)
{
	const char *blank = strchr(object, ' ');

	if (blank)
		snprintf(out, size, "%.*s of %s", (int)(blank - object), object, blank + 1);
	else
		snprintf(out, size, "%s", object);
}

char *pit_cell_name(const struct pit_cell *cell, char *out, size_t size)
{
	switch (cell->target) {
	case PIT_TARGET_SWAP:
		snprintf(out, size, "swap on %s", cell->object);
		break;
	case PIT_TARGET_SERVICE:
		snprintf(out, size, "service %s", cell->object);
		break;
	case PIT_TARGET_ENABLED:
		snprintf(out, size, "start of %s at boot", cell->object);
		break;
	case PIT_TARGET_BOOTARG:
		snprintf(out, size, "kernel argument %s", cell->object);
		break;
	case PIT_TARGET_MPS:
		snprintf(out, size, "MPS %s", cell->object);
		break;
	case PIT_TARGET_GPU:
	case PIT_TARGET_MOUNT:
		print_of(cell->object, out, size);
		break;
	default:
		snprintf(out, size, "%s", cell->object);
	}
	return out;
}

void pit_shell_quote(const char *text, struct pit_buf *out)
{
	static const char plain[] = "_-+=:,./@%^";
	bool quote = !*text;

	for (const char *c = text; *c; c++)
		quote |= !isalnum((unsigned char)*c) && !strchr(plain, *c);
	if (!quote) {
		pit_buf_puts(out, text);
		return;
	}
	pit_buf_putc(out, '\'');
	for (const char *c = text; *c; c++) {
		if (*c == '\'')
			pit_buf_puts(out, "'\\''");
		else
			pit_buf_putc(out, *c);
	}
	pit_buf_putc(out, '\'');
}
