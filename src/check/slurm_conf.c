/* SPDX-License-Identifier: MIT */
#include "check/slurm_conf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 65536
#define PAIRS_MAX 256
#define INCLUDES_MAX 32 /* files; more is taken for a loop */
#define TEXT_MAX (4u << 20)

/* The last is where slurmd keeps what a configless controller sent. */
const char *const pit_slurm_dirs[] = {"/etc/slurm", "/etc/slurm-llnl", "/run/slurm/conf", NULL};

void pit_slurm_conf_free(struct pit_slurm_conf *c)
{
	int saved = errno;

	for (size_t i = 0; i < c->count; i++) {
		for (size_t j = 0; j < c->item[i].pairs; j++) {
			free(c->item[i].pair[j].key);
			free(c->item[i].pair[j].value);
		}
		free(c->item[i].pair);
		free(c->item[i].file);
	}
	free(c->item);
	*c = (struct pit_slurm_conf){0};
	errno = saved;
}

static int add_line(struct pit_slurm_conf *c, const char *file, int number)
{
	struct pit_slurm_line *grown;
	char *name;

	if (c->count == LINES_MAX)
		return -EFBIG;
	if (!(c->count & (c->count - 1))) {
		grown = reallocarray(c->item, c->count ? c->count * 2 : 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		c->item = grown;
	}
	name = strdup(file);
	if (!name)
		return -ENOMEM;
	c->item[c->count++] = (struct pit_slurm_line){.file = name, .line = number};
	return 0;
}

static int add_pair(struct pit_slurm_line *line, const char *key, size_t key_len, const char *value, size_t len)
{
	pit_auto_free char *k = strndup(key, key_len), *v = strndup(value, len);
	struct pit_slurm_pair *grown;

	if (line->pairs == PAIRS_MAX)
		return -EFBIG;
	grown = reallocarray(line->pair, line->pairs + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	line->pair = grown;
	if (!k || !v)
		return -ENOMEM;
	grown[line->pairs++] = (struct pit_slurm_pair){.key = pit_take(k), .value = pit_take(v)};
	return 0;
}

/* Length of the value at `p`: up to a blank, or to the closing quote with *ret_quoted 1. */
static ptrdiff_t value_length(const char *p, int *ret_quoted)
{
	const char *end;

	*ret_quoted = *p == '"';
	if (*p != '"')
		return (ptrdiff_t)strcspn(p, " \t");
	end = strchr(p + 1, '"');
	return end ? end - p - 1 : -1;
}

/* KEY=value, KEY+=value, KEY = value; "Include FILE" has no '='. */
static int take_pairs(struct pit_slurm_line *line, const char *p)
{
	for (p += strspn(p, " \t"); *p; p += strspn(p, " \t")) {
		size_t key = strcspn(p, "=+-* \t");
		const char *value = p + key + strspn(p + key, " \t+-*");
		bool include = key == 7 && !strncasecmp(p, "include", 7) && *value != '=';
		int quoted = 0, rc;
		ptrdiff_t len;

		if (!key || (*value != '=' && !include))
			return -EBADMSG;
		value += include ? 0 : 1 + strspn(value + 1, " \t");
		len = value_length(value, &quoted);
		if (len < 0)
			return -EBADMSG;
		rc = add_pair(line, p, key, value + quoted, (size_t)len);
		if (rc)
			return rc;
		p = value + len + 2 * quoted;
	}
	return 0;
}

/* Cuts the comment and blanks at the end off; true when a backslash there (cut off too) asks for the next line, which
 * Slurm joins without a blank. */
static bool trim(struct pit_buf *line)
{
	char *text = line->data, *to = text;
	bool more;

	for (const char *c = text; *c && *c != '#'; c++) {
		if (*c == '\\' && c[1] == '#')
			c++;
		*to++ = *c;
	}
	while (to > text && isspace((unsigned char)to[-1]))
		to--;
	more = to > text && to[-1] == '\\';
	to -= more;
	if (line->size)
		*to = '\0';
	line->len = (size_t)(to - text);
	return more;
}

static int take_line(struct pit_slurm_conf *c, const char *text, const char *file, int number, struct pit_error *err)
{
	int rc;

	if (!text[strspn(text, " \t\r")])
		return 0;
	rc = add_line(c, file, number);
	if (!rc)
		rc = take_pairs(&c->item[c->count - 1], text);
	return rc ? pit_fail(err, -rc, "%s:%d: not a line of KEY=value pairs", file, number) : 0;
}

int pit_slurm_conf_parse(const char *text, const char *file, struct pit_slurm_conf *ret, struct pit_error *err)
{
	pit_auto_buf struct pit_buf all = PIT_BUF_INIT, one = PIT_BUF_INIT;
	int number = 0, start = 1, rc = 0;

	while (*text && !rc) {
		size_t len = strcspn(text, "\n");
		bool more;

		number++;
		pit_buf_clear(&one);
		pit_buf_add(&one, text, len);
		more = trim(&one);
		pit_buf_add(&all, one.data, one.len);
		text += len + (text[len] == '\n');
		if (more && *text)
			continue;
		rc = all.failed || one.failed ? -ENOMEM : take_line(ret, all.data, file, start, err);
		pit_buf_clear(&all);
		start = number + 1;
	}
	return rc;
}

/* The file named by "Include" in `path`: relative names lie beside it; %c is the cluster's name. */
static void include_path(const struct pit_slurm_conf *c, const char *name, const char *path, struct pit_buf *ret)
{
	const char *cluster = pit_slurm_get(c, "ClusterName", NULL);

	if (*name != '/')
		pit_buf_add(ret, path, (size_t)(strrchr(path, '/') + 1 - path));
	for (; *name; name++) {
		if (name[0] == '%' && name[1] == 'c' && cluster) {
			pit_buf_puts(ret, cluster);
			name++;
		} else {
			pit_buf_putc(ret, *name);
		}
	}
}

static int load_file(struct pit_root *root, const char *path, int *files, struct pit_slurm_conf *ret,
		     struct pit_error *err)
{
	struct pit_text text;
	size_t first = ret->count;
	int rc = pit_root_read(root, &text, "%s", path);

	if (rc)
		return pit_fail(err, -rc, "%s", path);
	if (++*files > INCLUDES_MAX)
		return pit_fail(err, EBADMSG, "%s: more than %d included files", path, INCLUDES_MAX);
	if (text.len > TEXT_MAX)
		return pit_fail(err, EFBIG, "%s: too long", path);
	rc = pit_slurm_conf_parse(text.data, path, ret, err);
	for (size_t i = first, end = ret->count; i < end && !rc; i++) {
		pit_auto_buf struct pit_buf name = PIT_BUF_INIT;
		const char *include = pit_slurm_pair(&ret->item[i], "Include");

		if (!include)
			continue;
		include_path(ret, include, path, &name);
		rc = load_file(root, name.data, files, ret, err);
	}
	return rc;
}

int pit_slurm_conf_load(struct pit_root *root, const char *name, struct pit_slurm_conf *ret, struct pit_error *err)
{
	const char *const *dir = pit_slurm_dirs;
	int files = 0;

	while (dir[1] && pit_root_exists(root, "%s/slurm.conf", *dir))
		dir++;
	snprintf(ret->path, sizeof(ret->path), "%s/%s", *dir, name);
	return load_file(root, ret->path, &files, ret, err);
}

const char *pit_slurm_pair(const struct pit_slurm_line *line, const char *key)
{
	for (size_t i = line->pairs; i-- > 0;)
		if (!strcasecmp(line->pair[i].key, key))
			return line->pair[i].value;
	return NULL;
}

/* Lines whose first key names a thing; what follows there belongs to that thing. */
static bool is_record(const struct pit_slurm_line *line)
{
	static const char *const heads[] = {"NodeName", "PartitionName", "NodeSet",    "DownNodes", "FrontendName",
					    "Name",     "Nodes",         "SwitchName", "Include"};

	for (size_t i = 0; i < PIT_COUNT(heads) && line->pairs; i++)
		if (!strcasecmp(line->pair[0].key, heads[i]))
			return true;
	return false;
}

const char *pit_slurm_get(const struct pit_slurm_conf *c, const char *key, const struct pit_slurm_line **ret_line)
{
	for (size_t i = c->count; i-- > 0;) {
		const char *value = is_record(&c->item[i]) ? NULL : pit_slurm_pair(&c->item[i], key);

		if (!value)
			continue;
		if (ret_line)
			*ret_line = &c->item[i];
		return value;
	}
	return NULL;
}

const struct pit_slurm_line *pit_slurm_node(const struct pit_slurm_conf *c, const char *host)
{
	char name[256];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, "."), host);
	for (size_t i = 0; i < c->count; i++) {
		const char *list = pit_slurm_pair(&c->item[i], "NodeName");
		const char *alias = pit_slurm_pair(&c->item[i], "NodeHostname");

		if (!list || !strcasecmp(list, "DEFAULT") || strcasecmp(c->item[i].pair[0].key, "NodeName") != 0)
			continue;
		if (pit_slurm_hosts_have(list, name) || pit_slurm_hosts_have(list, host) ||
		    (alias && pit_slurm_hosts_have(alias, name)))
			return &c->item[i];
	}
	return NULL;
}

const char *pit_slurm_node_get(const struct pit_slurm_conf *c, const struct pit_slurm_line *node, const char *key)
{
	const char *value = pit_slurm_pair(node, key);

	for (size_t i = (size_t)(node - c->item); i-- > 0 && !value;) {
		const char *name = pit_slurm_pair(&c->item[i], "NodeName");

		if (name && !strcasecmp(name, "DEFAULT"))
			value = pit_slurm_pair(&c->item[i], key);
	}
	return value;
}

bool pit_slurm_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n >= len && !strncasecmp(list, word, len) && (n == len || strchr(":=", list[len])))
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}
