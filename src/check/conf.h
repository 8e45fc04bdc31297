/* SPDX-License-Identifier: MIT
 *
 * Configuration texts as flat lists of "a/b/0/c" = "value", the same for YAML, TOML and JSON, as far as kubelet,
 * containerd, CDI and the NVIDIA container toolkit use them. What lies outside of the subset is refused, never guessed:
 * YAML without anchors, tags and scalars over several lines other than block scalars; TOML without multi-line strings.
 */
#ifndef PIT_CHECK_CONF_H
#define PIT_CHECK_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "pitcrew/error.h"

struct pit_conf_entry {
	char *key; /* path of keys and list positions, joined by '/' */
	char *value;
	int line; /* 0: not known (JSON) */
};

struct pit_conf {
	struct pit_conf_entry *item; /* in the order of the text */
	size_t count, size;
};

void pit_conf_free(struct pit_conf *c); /* back to empty; keeps errno */
#define pit_auto_conf PIT_CLEANUP(pit_conf_free)

/* Each appends to *ret, also when it fails half-way: -EBADMSG with the line in `err`, -ENOMEM. */
int pit_conf_yaml(const char *text, struct pit_conf *ret, struct pit_error *err);
int pit_conf_toml(const char *text, struct pit_conf *ret, struct pit_error *err);
int pit_conf_json(const char *text, struct pit_conf *ret, struct pit_error *err);

/* JSON when the first character that is no blank is '{', else YAML. */
int pit_conf_yaml_or_json(const char *text, struct pit_conf *ret, struct pit_error *err);

int pit_conf_add(struct pit_conf *c, const char *key, const char *value, size_t len, int line);

/* The last entry with that key; NULL when absent. */
const struct pit_conf_entry *pit_conf_find(const struct pit_conf *c, const char *key);
const char *pit_conf_get(const struct pit_conf *c, const char *key);

/* True when an entry lies at or below `key`. */
bool pit_conf_has(const struct pit_conf *c, const char *key);

/* What follows "prefix/" in the key, or NULL when the key is not below `prefix`. */
const char *pit_conf_below(const struct pit_conf_entry *e, const char *prefix);

#endif
