/* SPDX-License-Identifier: MIT */
#include "tune/place.h"

int pit_place_open(struct pit_place **ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_place_rehearse(const char *dir, struct pit_place **ret, struct pit_error *err)
{
	return -ENOSYS;
}

void pit_place_close(struct pit_place *p)
{
}

bool pit_place_is_live(const struct pit_place *p)
{
	return false;
}

struct pit_root *pit_place_root(struct pit_place *p)
{
	return NULL;
}

struct pit_root *pit_place_now(struct pit_place *p)
{
	return NULL;
}

int pit_place_poke(struct pit_place *p, const char *path, const char *text, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_place_store(struct pit_place *p, const char *path, const char *text, unsigned mode, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_place_mkdir(struct pit_place *p, const char *path, bool present, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_place_symlink(struct pit_place *p, const char *path, const char *target, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_place_command(struct pit_place *p, const char *const *argv, int seconds, struct pit_buf *out,
		      struct pit_error *err)
{
	return -ENOSYS;
}
