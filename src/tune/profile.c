/* SPDX-License-Identifier: MIT */
#include "tune/profile.h"

int pit_profile_load(const char *name, struct pit_profile *ret, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_profile_parse(const char *text, const char *file, struct pit_profile *ret, char **ret_include,
		      struct pit_error *err)
{
	return -ENOSYS;
}

void pit_profile_free(struct pit_profile *p)
{
}

int pit_profile_add_knob(struct pit_profile *ret, const char *word, const struct pit_profile *values,
			 struct pit_error *err)
{
	return -ENOSYS;
}

int pit_profile_only(struct pit_profile *p, const char *list, struct pit_error *err)
{
	return -ENOSYS;
}

int pit_profile_skip(struct pit_profile *p, const char *list, struct pit_error *err)
{
	return -ENOSYS;
}
