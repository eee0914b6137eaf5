/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * At each end of the interval six things are read, one after the other: the kernel's connections, the meter's
 * connections (for which it reads the kernel itself), its hosts and its status, the interfaces, and the kernel's
 * connections again. So the meter's reading lies between two of ours.
 *
 * The meter reads once a second at most, however often it is asked. So before all that it is made to read, and asked
 * again shortly before it would: then it does so at once, and little passes between our readings.
 */
#include "hostmeter/audit/audit.h"
#include "hostmeter/audit/reported.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/check/firewall.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "hostmeter/os/loop.h"
#include "no_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, MOST_FLOWS = 1 << 21 };

/* Between the first answer and our reading. By then the meter has counted flows that ended before we listened. */
#define REST_NS (800 * CLOCK_NS_PER_MS)
#define AGAIN_NS (20 * CLOCK_NS_PER_MS)
#define SHARED_NS (200 * CLOCK_NS_PER_MS) /* the meter gives no page that is older */
#define PATIENCE_NS (60 * CLOCK_NS_PER_S)

struct auditing {
	const struct config *config;
	struct loop *loop;
	struct audit *audit;
	struct audit_kernel *kernel;
	struct http_fetch *fetch;
	struct loop_io *io;
	struct loop_timer *next, *patience;
	struct loop_signal *signals[2];
	struct buf answer;
	struct audit_reported reported;
	struct audit_times times;
	enum audit_end end;
	size_t step;            /* of steps[] */
	bool waiting, measured; /* for the interval to pass; all is read */
	bool interrupted;       /* once, and the end is being read */
	uint64_t end_began, interval_began, deadline, listed, listed_real;
};

static void begin_step(struct auditing *a);

/* --- Asking the meter */

static void stop_fetch(struct auditing *a)
{
	loop_io_del(a->io);
	a->io = NULL;
	http_fetch_free(a->fetch);
	a->fetch = NULL;
	loop_timer_stop(a->patience);
}

static int take_flows(struct auditing *a)
{
	const char *stop = a->answer.data + a->answer.len;

	for (const char *line = a->answer.data, *newline; line < stop; line = newline + (newline < stop)) {
		struct audit_reported_flow flow;
		int error;

		newline = memchr(line, '\n', (size_t)(stop - line));
		newline = newline ? newline : stop;
		error = reported_read_flow(&flow, line, (size_t)(newline - line));
		if (error == -ENODATA)
			audit_take_cut(a->audit);
		else if (!error)
			error = audit_take_flow(a->audit, a->end, &flow);
		if (error && error != -ENODATA)
			return error;
	}
	a->listed = clock_mono_ns();
	a->listed_real = clock_real_ns();
	return 0;
}

/* The meter may answer with a page that it made before its own reading: then it is asked again. */
static int take_hosts(struct auditing *a)
{
	int error;

	reported_clear(&a->reported);
	error = reported_read_hosts(&a->reported, &a->answer);
	if (!error && a->reported.time < a->listed_real && clock_mono_ns() < a->listed + SHARED_NS)
		return -EAGAIN;
	return error;
}

static int take_status(struct auditing *a)
{
	int error = reported_read_status(&a->reported, &a->answer);

	return error ? error : audit_take_reported(a->audit, a->end, &a->reported);
}

/* --- The steps at each end */

static const struct step {
	enum { METER, KERNEL_FLOWS, KERNEL_LINKS } source;
	const char *target;              /* of the meter; */
	int (*take)(struct auditing *a); /* what takes its answer, or NULL */
	uint64_t rest_ns;                /* afterwards */
} steps[] = {
	{ METER, "/api/v1/flows?json=1&host=nobody", NULL, REST_NS },
	{ KERNEL_FLOWS, NULL, NULL, 0 },
	{ METER, "/api/v1/flows?json=1", take_flows, 0 },
	{ METER, "/api/v1/hosts?fresh=0", take_hosts, 0 },
	{ METER, "/api/v1/status", take_status, 0 },
	{ KERNEL_LINKS, NULL, NULL, 0 },
	{ KERNEL_FLOWS, NULL, NULL, 0 },
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

static void begin_end(struct auditing *a, enum audit_end end)
{
	a->end = end;
	a->step = 0;
	a->deadline = clock_mono_ns() + PATIENCE_NS;
	begin_step(a);
}

/* All of one end is read. */
static void end_ended(struct auditing *a)
{
	uint64_t now = clock_mono_ns();

	a->times.took_ns[a->end] = now - a->end_began;
	a->waiting = a->end == AUDIT_BEGIN;
	if (a->waiting) {
		a->times.begin_ns = clock_real_ns();
		a->interval_began = now;
		loop_timer_set(a->next, 0);
	} else {
		a->times.end_ns = clock_real_ns();
		a->times.between_ns = now - a->interval_began;
		a->measured = true;
		loop_stop(a->loop);
	}
}

static void step_ended(struct auditing *a)
{
	uint64_t rest = steps[a->step++].rest_ns;

	if (a->step == STEPS)
		end_ended(a);
	else if (rest)
		loop_timer_set(a->next, rest);
	else
		begin_step(a);
}

static void on_read(void *ctx, int error)
{
	struct auditing *a = ctx;

	if (error) {
		log_error("reading the kernel's connections: %s", strerror(-error));
		loop_stop(a->loop);
		return;
	}
	step_ended(a);
}

static void answered(struct auditing *a, int result)
{
	stop_fetch(a);
	if (result == 200)
		result = steps[a->step].take ? steps[a->step].take(a) : 0;
	if ((result == 202 || result == -EAGAIN) && clock_mono_ns() < a->deadline) {
		loop_timer_set(a->next, AGAIN_NS);
		return;
	}
	if (result) {
		no_answer_log(a->config->socket, result, NULL);
		loop_stop(a->loop);
		return;
	}
	step_ended(a);
}

static void on_io(void *ctx, int events);

static void go_on(void *ctx)
{
	struct auditing *a = ctx;
	int result = http_fetch_step(a->fetch, &a->answer);

	if (result) {
		answered(a, result);
		return;
	}
	if (!a->io)
		a->io = loop_io_add(a->loop, http_fetch_fd(a->fetch), LOOP_READ, on_io, a);
	loop_timer_set(a->patience, (uint64_t)http_fetch_patience(a->fetch) * CLOCK_NS_PER_MS);
}

static void on_io(void *ctx, int events)
{
	(void)events;
	go_on(ctx);
}

static void begin_step(struct auditing *a)
{
	const struct step *step = &steps[a->step];
	int error;

	if (step->source != METER) {
		if (steps[a->step - 1].rest_ns)
			a->end_began = clock_mono_ns();
		error = step->source == KERNEL_FLOWS ? audit_kernel_flows(a->kernel) :
						       audit_kernel_links(a->kernel, a->end, &a->reported);
		if (error)
			on_read(a, error);
		return;
	}
	buf_reset(&a->answer);
	error = http_fetch_start(&a->fetch, a->config->socket, step->target, ANSWER_MS);
	if (error)
		answered(a, error);
	else
		go_on(a);
}

/* --- Time */

static void show_progress(const struct auditing *a, uint64_t passed)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rauditing: %" PRIu64 " s of %" PRIu64 " s (Ctrl-C ends it now) ",
			passed / CLOCK_NS_PER_S, a->config->audit_interval_ns / CLOCK_NS_PER_S);
}

static void on_next(void *ctx)
{
	struct auditing *a = ctx;
	uint64_t passed = clock_mono_ns() - a->interval_began, left;
	uint64_t interval = a->config->audit_interval_ns - REST_NS; /* reading the end takes at least as long */

	if (a->waiting && passed < interval) {
		show_progress(a, passed);
		left = interval - passed;
		loop_timer_set(a->next, left < CLOCK_NS_PER_S ? left : CLOCK_NS_PER_S);
	} else if (a->waiting) {
		a->waiting = false;
		begin_end(a, AUDIT_END);
	} else if (a->deadline) {
		begin_step(a);
	} else {
		begin_end(a, AUDIT_BEGIN);
	}
}

/* The first signal ends the interval: the end is still read. The second one, or one before the interval, ends all. */
static void on_signal(void *ctx, int signo)
{
	struct auditing *a = ctx;

	(void)signo;
	if (a->waiting) {
		a->waiting = false;
		loop_timer_stop(a->next);
		begin_end(a, AUDIT_END);
	}
	if (a->end == AUDIT_END && !a->interrupted) {
		a->interrupted = true;
		return;
	}
	log_error("ended before there was anything to compare");
	loop_stop(a->loop);
}

/* --- The whole */

static int start(struct auditing *a)
{
	int error;

	a->loop = loop_new();
	a->audit = audit_new(MOST_FLOWS);
	if (!a->loop || !a->audit)
		return -ENOMEM;
	a->kernel = audit_kernel_new(a->loop, a->audit, on_read, a);
	a->next = loop_timer_add(a->loop, on_next, a);
	a->patience = loop_timer_add(a->loop, go_on, a);
	a->signals[0] = loop_signal_add(a->loop, SIGINT, on_signal, a);
	a->signals[1] = loop_signal_add(a->loop, SIGTERM, on_signal, a);
	if (!a->kernel || !a->next || !a->patience || !a->signals[0] || !a->signals[1])
		return -ENOMEM;
	error = audit_kernel_open(a->kernel);
	if (!error)
		loop_timer_set(a->next, 0);
	return error;
}

static void clear(struct auditing *a)
{
	if (a->fetch)
		stop_fetch(a);
	loop_signal_del(a->signals[1]);
	loop_signal_del(a->signals[0]);
	loop_timer_del(a->patience);
	loop_timer_del(a->next);
	audit_kernel_free(a->kernel);
	audit_free(a->audit);
	loop_free(a->loop);
	reported_clear(&a->reported);
	buf_free(&a->answer);
}

static void take_flowtables(struct audit *audit)
{
	struct firewall firewall;

	firewall_read_flowtables(&firewall);
	audit_take_flowtables(audit, firewall_counts_offloaded(&firewall));
	firewall_clear(&firewall);
}

static int report(struct auditing *a, struct buf *out)
{
	unsigned int lost = audit_kernel_lost(a->kernel);
	struct audit_report report = { 0 };
	int status = CMD_FAILED;

	take_flowtables(a->audit);
	if (lost) {
		log_error("the kernel dropped ends of connections for the audit's own socket (%u times): try again, or "
			  "with a shorter interval",
			lost);
	} else if (audit_judge(a->audit, &report)) {
		log_error("%s", strerror(ENOMEM));
	} else {
		(a->config->json ? audit_print_json : audit_print_text)(out, &report, &a->times);
		status = report.unexplained || report.refused ? CMD_FAILED : CMD_OK;
	}
	audit_report_clear(&report);
	return status;
}

int cmd_audit(const struct config *config, struct buf *out)
{
	struct auditing a = { .config = config };
	int error = start(&a), status = CMD_FAILED;

	if (error == -EPERM)
		log_error("--audit reads connection tracking itself, which needs root (CAP_NET_ADMIN)");
	else if (error)
		log_error("cannot audit: %s", strerror(-error));
	else
		loop_run(a.loop);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr); /* the progress */
	if (!error && a.measured)
		status = report(&a, out);
	clear(&a);
	return status;
}
