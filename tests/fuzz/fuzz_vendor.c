/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IEEE's lists, as the first byte chooses: names end, and are fit for a label. The next six bytes are asked for. */
#include "hostmeter/names/vendor.h"

#include "hostmeter/base/utf8.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const lists[] = { "oui36.csv", "iab.csv", "mam.csv", "oui.csv", "oui.txt" };
static char directory[] = "/tmp/fuzz-vendor-XXXXXX", path[64];

static void clear(void)
{
	rmdir(directory);
}

static void check(const char *name)
{
	size_t len = strnlen(name, VENDOR_TEXT), step;

	if (len == VENDOR_TEXT || strpbrk(name, "\"\\<>"))
		abort();
	for (size_t at = 0; at < len; at += step) {
		uint32_t code;

		step = utf8_char(name + at, len - at, &code);
		if (!step || !utf8_is_visible(code))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[VENDOR_TEXT];
	struct vendor *vendor;
	struct mac mac;
	int fd;

	if (size < 1 + sizeof(mac))
		return 0;
	if (!*path && !mkdtemp(directory))
		abort();
	if (!*path)
		atexit(clear);
	snprintf(path, sizeof(path), "%s/%s", directory, lists[data[0] % 5]);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	if (fd < 0 || write(fd, data + 7, size - 7) != (ssize_t)(size - 7) || close(fd))
		abort();
	memcpy(&mac, data + 1, sizeof(mac));
	vendor = vendor_new(directory);
	check(vendor_name(vendor, &mac, name));
	unlink(path);
	check(vendor_name(vendor, &mac, name));
	vendor_free(vendor);
	return 0;
}
