#include "topo/model.h"
int pit_topo_load(struct pit_root *root, struct pit_topo **ret, struct pit_error *err)
{
	return -ENOSYS;
}
void pit_topo_free(struct pit_topo *t)
{
}
size_t pit_topo_count(const struct pit_topo *t, enum pit_device_class cls)
{
	return 0;
}
const struct pit_node *pit_topo_node(const struct pit_topo *t, int id) { return NULL; }
const struct pit_node *pit_topo_node_of_cpu(const struct pit_topo *t, int cpu) { return NULL; }
const struct pit_node *pit_topo_nearest_cpus(const struct pit_topo *t, int id) { return NULL; }
int pit_topo_shared_bridges(const struct pit_topo *t, const struct pit_device *a, const struct pit_device *b) { return -1; }
const char *pit_node_kind_name(enum pit_node_kind kind) { return ""; }
const char *pit_device_class_name(enum pit_device_class cls) { return ""; }
const char *pit_node_source_name(enum pit_node_source source) { return ""; }
