/* SPDX-License-Identifier: MIT
 *
 * Names of the devices that AI hosts have, for machines whose driver does not tell. Ids as in the PCI ID Repository,
 * https://pci-ids.ucw.cz/. What is not listed is called by its vendor and id.
 */
#include "topo/parts.h"

static const struct {
	unsigned vendor;
	const char *name;
} vendors[] = {
	{.vendor = 0x1002, .name = "AMD"},       {.vendor = 0x10de, .name = "NVIDIA"},
	{.vendor = 0x8086, .name = "Intel"},     {.vendor = 0x15b3, .name = "Mellanox"},
	{.vendor = 0x14e4, .name = "Broadcom"},  {.vendor = 0x1d0f, .name = "Amazon"},
	{.vendor = 0x1af4, .name = "Virtio"},    {.vendor = 0x144d, .name = "Samsung"},
	{.vendor = 0x1da3, .name = "Habana"},    {.vendor = 0x1ae0, .name = "Google"},
	{.vendor = 0x1414, .name = "Microsoft"},
};

static const struct {
	unsigned vendor, device;
	const char *name;
} names[] = {
	{.vendor = 0x10de, .device = 0x15f8, .name = "NVIDIA P100 PCIe 16GB"},
	{.vendor = 0x10de, .device = 0x15f9, .name = "NVIDIA P100 SXM2 16GB"},
	{.vendor = 0x10de, .device = 0x1db1, .name = "NVIDIA V100 SXM2 16GB"},
	{.vendor = 0x10de, .device = 0x1db4, .name = "NVIDIA V100 PCIe 16GB"},
	{.vendor = 0x10de, .device = 0x1db5, .name = "NVIDIA V100 SXM2 32GB"},
	{.vendor = 0x10de, .device = 0x1db6, .name = "NVIDIA V100 PCIe 32GB"},
	{.vendor = 0x10de, .device = 0x1eb8, .name = "NVIDIA T4"},
	{.vendor = 0x10de, .device = 0x20b0, .name = "NVIDIA A100 SXM4 40GB"},
	{.vendor = 0x10de, .device = 0x20b2, .name = "NVIDIA A100 SXM4 80GB"},
	{.vendor = 0x10de, .device = 0x20b5, .name = "NVIDIA A100 PCIe 80GB"},
	{.vendor = 0x10de, .device = 0x20b7, .name = "NVIDIA A30 PCIe"},
	{.vendor = 0x10de, .device = 0x20f1, .name = "NVIDIA A100 PCIe 40GB"},
	{.vendor = 0x10de, .device = 0x2235, .name = "NVIDIA A40"},
	{.vendor = 0x10de, .device = 0x2236, .name = "NVIDIA A10"},
	{.vendor = 0x10de, .device = 0x2321, .name = "NVIDIA H100 NVL"},
	{.vendor = 0x10de, .device = 0x2330, .name = "NVIDIA H100 SXM5 80GB"},
	{.vendor = 0x10de, .device = 0x2331, .name = "NVIDIA H100 PCIe"},
	{.vendor = 0x10de, .device = 0x2335, .name = "NVIDIA H200 SXM 141GB"},
	{.vendor = 0x10de, .device = 0x233b, .name = "NVIDIA H200 NVL"},
	{.vendor = 0x10de, .device = 0x2342, .name = "NVIDIA GH200"},
	{.vendor = 0x10de, .device = 0x26b5, .name = "NVIDIA L40"},
	{.vendor = 0x10de, .device = 0x26b9, .name = "NVIDIA L40S"},
	{.vendor = 0x10de, .device = 0x27b8, .name = "NVIDIA L4"},
	{.vendor = 0x10de, .device = 0x2901, .name = "NVIDIA B200"},
	{.vendor = 0x10de, .device = 0x2941, .name = "NVIDIA GB200"},
	{.vendor = 0x1002, .device = 0x738c, .name = "AMD Instinct MI100"},
	{.vendor = 0x1002, .device = 0x7408, .name = "AMD Instinct MI250X"},
	{.vendor = 0x1002, .device = 0x740c, .name = "AMD Instinct MI250X/MI250"},
	{.vendor = 0x1002, .device = 0x740f, .name = "AMD Instinct MI210"},
	{.vendor = 0x1002, .device = 0x74a0, .name = "AMD Instinct MI300A"},
	{.vendor = 0x1002, .device = 0x74a1, .name = "AMD Instinct MI300X"},
	{.vendor = 0x1002, .device = 0x74a2, .name = "AMD Instinct MI308X"},
	{.vendor = 0x1002, .device = 0x74a5, .name = "AMD Instinct MI325X"},
	{.vendor = 0x8086, .device = 0x0bd5, .name = "Intel Data Center GPU Max 1550"},
	{.vendor = 0x8086, .device = 0x0bda, .name = "Intel Data Center GPU Max 1100"},
	{.vendor = 0x15b3, .device = 0x1013, .name = "ConnectX-4"},
	{.vendor = 0x15b3, .device = 0x1015, .name = "ConnectX-4 Lx"},
	{.vendor = 0x15b3, .device = 0x1017, .name = "ConnectX-5"},
	{.vendor = 0x15b3, .device = 0x1019, .name = "ConnectX-5 Ex"},
	{.vendor = 0x15b3, .device = 0x101b, .name = "ConnectX-6"},
	{.vendor = 0x15b3, .device = 0x101d, .name = "ConnectX-6 Dx"},
	{.vendor = 0x15b3, .device = 0x101e, .name = "ConnectX virtual function"},
	{.vendor = 0x15b3, .device = 0x101f, .name = "ConnectX-6 Lx"},
	{.vendor = 0x15b3, .device = 0x1021, .name = "ConnectX-7"},
	{.vendor = 0x15b3, .device = 0x1023, .name = "ConnectX-8"},
	{.vendor = 0x15b3, .device = 0xa2d6, .name = "BlueField-2"},
	{.vendor = 0x15b3, .device = 0xa2dc, .name = "BlueField-3"},
	{.vendor = 0x1d0f, .device = 0xec20, .name = "Amazon ENA"},
	{.vendor = 0x1d0f, .device = 0xefa0, .name = "Amazon EFA"},
	{.vendor = 0x1d0f, .device = 0xefa1, .name = "Amazon EFA"},
	{.vendor = 0x1d0f, .device = 0xefa2, .name = "Amazon EFA"},
	{.vendor = 0x1d0f, .device = 0xefa3, .name = "Amazon EFA"},
	{.vendor = 0x1af4, .device = 0x1000, .name = "Virtio network"},
	{.vendor = 0x1af4, .device = 0x1041, .name = "Virtio network"},
};

const char *pit_pci_name(unsigned vendor, unsigned device)
{
	for (size_t i = 0; i < PIT_COUNT(names); i++)
		if (names[i].vendor == vendor && names[i].device == device)
			return names[i].name;
	return NULL;
}

const char *pit_pci_vendor(unsigned vendor)
{
	for (size_t i = 0; i < PIT_COUNT(vendors); i++)
		if (vendors[i].vendor == vendor)
			return vendors[i].name;
	return NULL;
}
