/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/checkpoint.h"

#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"
#include "meter/journal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 2, KIND = 1, REST_OF_HEAD = 1 + 16, ROOM = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One blob of this kind with a head that is right, in memory of exactly its size. */
static int load(struct meter *meter, uint8_t kind, const uint8_t *records, size_t len)
{
	size_t size = KIND + REST_OF_HEAD + len;
	uint8_t *blob = calloc(1, size);
	int error;

	if (!blob)
		abort();
	blob[0] = kind;
	blob[1] = CHECKPOINT_VERSION;
	memcpy(blob + KIND + REST_OF_HEAD, records, len);
	error = checkpoint_load(meter, blob, size, 1);
	free(blob);
	return error;
}

/* Two bytes of length, a kind, records; and so on. What loads must leave a meter that works. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 100 };
	struct meter *meter = meter_new(&options);
	struct snapshot snapshot;
	int error = 0;

	if (!meter)
		abort();
	while (!error && size > LENGTH + KIND) {
		size_t len = (size_t)(data[0] | data[1] << 8) % ROOM;

		if (len > size - LENGTH - KIND)
			len = size - LENGTH - KIND;
		error = load(meter, data[LENGTH], data + LENGTH + KIND, len);
		data += LENGTH + KIND + len;
		size -= LENGTH + KIND + len;
	}
	if (!error) {
		for (uint64_t now = 2; now < 5; now++) {
			meter_dump_begin(meter, now);
			meter_dump_end(meter, true, now);
			meter_tick(meter, now);
		}
		if (meter_snapshot(meter, &snapshot, 5))
			abort();
		snapshot_clear(&snapshot);
	}
	meter_free(meter);
	return 0;
}
