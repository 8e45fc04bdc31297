/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "launch/environment_parts.h"
#include "launch/explain_parts.h"

static bool are_same(const struct pit_env_item *a, const struct pit_env_item *b)
{
	if (a->kept != b->kept || !a->value != !b->value)
		return false;
	return !a->value || !strcmp(a->value, b->value);
}

bool pit_explain_is_common(const struct pit_job *j, const struct pit_env_item *item)
{
	for (int i = 0; i < j->placement.ranks; i++) {
		const struct pit_env_item *other;

		if (!j->env || (j->alone && i != j->own))
			continue;
		other = pit_env_item(&j->env[i], item->name);
		if (!other || !are_same(item, other))
			return false;
	}
	return true;
}

/* Long values are broken behind commas and colons. */
static void put_head(const struct pit_buf *head, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf words = PIT_BUF_INIT;
	struct pit_buf *out = page->out;
	int column = 2;

	pit_buf_puts(out, "  ");
	for (const char *at = head->data; *at;) {
		size_t len = strcspn(at, ",:");

		len += at[len] != '\0';
		if (column + (int)len > page->width && column > 6) {
			pit_buf_puts(out, "\n      ");
			column = 6;
		}
		pit_buf_clear(&words);
		pit_buf_add(&words, at, len);
		pit_page_clip(out, words.data, SIZE_MAX);
		column += (int)len;
		at += len;
	}
	pit_buf_putc(out, '\n');
}

/* True when the reason is the same for all that have it. */
static bool is_common_reason(const struct pit_job *j, const struct pit_env_item *item)
{
	for (int i = 0; item->why && i < j->placement.ranks; i++) {
		const struct pit_env_item *other = pit_env_item(&j->env[i], item->name);

		if (other && other->why && strcmp(other->why, item->why) != 0)
			return false;
	}
	return true;
}

static void put_item(const struct pit_job *j, int seat, const struct pit_env_item *item, const struct pit_page *page)
{
	pit_auto_buf struct pit_buf head = PIT_BUF_INIT, why = PIT_BUF_INIT;

	if (!item->value)
		pit_buf_printf(&head, "%s %s", item->name, item->kept ? "stays unset" : "is removed");
	else if (!pit_explain_is_common(j, item))
		pit_buf_printf(&head, "%s, of each rank its own", item->name);
	else
		pit_buf_printf(&head, "%s=%s", item->name, item->value);
	if (item->kept && item->value)
		pit_buf_puts(&head, " (kept)");
	put_head(&head, page);
	if (!is_common_reason(j, item))
		pit_buf_printf(&why, "rank %d: ", seat);
	pit_buf_puts(&why, item->why ? item->why : "");
	if (why.len)
		pit_page_wrap(page, 6, "", why.data);
}

/* In the order of the first seat; what only others have comes behind. */
void pit_explain_variables(const struct pit_job *j, const struct pit_page *page)
{
	pit_auto_strv struct pit_strv told = {0};

	for (int i = 0; j->env && i < j->placement.ranks; i++) {
		for (size_t k = 0; k < j->env[i].items && (!j->alone || i == j->own); k++) {
			const struct pit_env_item *item = &j->env[i].item[k];

			if (pit_strv_has(&told, item->name))
				continue;
			if (!told.count)
				pit_explain_heading(page, "ENVIRONMENT");
			if (pit_strv_add(&told, item->name))
				page->out->failed = true;
			put_item(j, i, item, page);
		}
	}
	if (told.count)
		pit_buf_putc(page->out, '\n');
}
