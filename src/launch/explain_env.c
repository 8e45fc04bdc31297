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

static void put_item(const struct pit_job *j, const struct pit_env_item *item, const struct pit_page *page)
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
	pit_page_wrap(page, 2, "", head.data);
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
			put_item(j, item, page);
		}
	}
	if (told.count)
		pit_buf_putc(page->out, '\n');
}
