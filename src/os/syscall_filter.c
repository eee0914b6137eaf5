/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "syscall_filter.h"

#include <errno.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#if defined(HOSTMETER_NO_SECCOMP) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

int syscall_filter_load(enum syscall_filter filter)
{
	(void)filter;
	return -ENOTSUP;
}

#else

#include "hostmeter/base/log.h"

#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Calls by name: what an architecture, a kernel or this libseccomp does not have is passed over. On 32 bits many have a
 * second one with 64 bits for times or file sizes, and which of them a C library takes depends on its version.
 */

/* Memory, time, signals and the end. */
#define CALLS_OF_ANY_PROCESS                                                                                           \
	"brk", "munmap", "mremap", "madvise", "clock_gettime", "clock_gettime64", "clock_getres",                      \
		"clock_getres_time64", "clock_nanosleep", "clock_nanosleep_time64", "nanosleep", "gettimeofday",       \
		"time", "adjtimex", "clock_adjtime", "clock_adjtime64", "futex", "futex_time64", "restart_syscall",    \
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaction", "sigprocmask", "sigreturn",             \
		"sigaltstack", "getpid", "gettid", "getppid", "kill", "tkill", "tgkill", "exit", "exit_group",         \
		"getrandom", "sched_yield", "cacheflush", "riscv_flush_icache", "set_thread_area", "arch_prctl",       \
		"rseq", "membarrier"

/* Descriptors that are open already. */
#define CALLS_OF_OPEN_FILES                                                                                            \
	"read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "close", "fstat", "fstat64", "poll",      \
		"ppoll", "ppoll_time64", "recv", "recvfrom", "recvmsg", "send", "sendto", "sendmsg", "getsockopt",     \
		"setsockopt"

static const char *const child_calls[] = { CALLS_OF_ANY_PROCESS, CALLS_OF_OPEN_FILES, "setpriority", NULL };

static const char *const meter_calls[] = { CALLS_OF_ANY_PROCESS, CALLS_OF_OPEN_FILES, "setpriority",
	/* Files: those of names and of /proc, checkpoints, recordings, the lock */
	"open", "openat", "openat2", "access", "faccessat", "faccessat2", "stat", "stat64", "lstat", "lstat64",
	"newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "getdents", "getdents64",
	"readlink", "readlinkat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat",
	"mkdir", "mkdirat", "ftruncate", "ftruncate64", "fallocate", "fsync", "fdatasync", "chmod", "fchmod",
	"fchmodat", "fchmodat2", "fchown", "fchown32", "lseek", "_llseek", "fcntl", "fcntl64", "flock", "dup", "dup2",
	"dup3", "umask", "getcwd", "fadvise64", "fadvise64_64", "arm_fadvise64_64", "utimensat", "utimensat_time64",
	"utimes",
	/* The loop */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_pwait", "epoll_pwait2",
	"select", "_newselect", "pselect6", "pselect6_time64", "eventfd", "eventfd2", "pipe", "pipe2", "signalfd",
	"signalfd4", "timerfd_create", "timerfd_settime", "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64",
	/* Sockets */
	"socketpair", "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername", "shutdown",
	"sendmmsg", "recvmmsg", "recvmmsg_time64", "sendfile", "sendfile64",
	/* Children, and what they give up */
	"fork", "vfork", "wait4", "waitid", "waitpid", "setsid", "close_range", "set_tid_address", "set_robust_list",
	"get_robust_list", "prctl", "seccomp", "capget", "capset",
	/* Of itself */
	"getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32", "getresuid",
	"getresuid32", "getresgid", "getresgid32", "getgroups", "getgroups32", "getrlimit", "ugetrlimit", "prlimit64",
	"getrusage", "times", "uname", "sysinfo", "sched_getaffinity", "getcpu", "getpriority", NULL };

/* Newer ones that C libraries try before they take an older one. */
static const char *const absent_calls[] = { "clone3", "futex_waitv", "futex_wait", "futex_wake", "io_uring_setup",
	"map_shadow_stack", "mseal", "pidfd_open", "getxattrat", NULL };

/* --- Rules */

static int add_all(scmp_filter_ctx ctx, uint32_t action, const char *const *names)
{
	int error = 0;

	for (; *names && !error; names++) {
		int number = seccomp_syscall_resolve_name(*names);

		if (number != __NR_SCMP_ERROR)
			error = seccomp_rule_add_array(ctx, action, number, 0, NULL);
		if (error == -EDOM || error == -EOPNOTSUPP) /* not on this architecture */
			error = 0;
	}
	return error;
}

static int add_if(scmp_filter_ctx ctx, const char *name, struct scmp_arg_cmp is)
{
	int number = seccomp_syscall_resolve_name(name);
	int error = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, number, 1, &is);

	return error == -EDOM || error == -EOPNOTSUPP ? 0 : error;
}

/* Memory, but none that could be run. */
static int add_memory(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp is_data = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int error = add_if(ctx, "mprotect", is_data);

#if defined(__s390__) || defined(__i386__) || defined(__m68k__)
	/* Its arguments are in memory, where no filter looks. */
	if (!error)
		error = add_all(ctx, SCMP_ACT_ALLOW, (const char *const[]){ "mmap", NULL });
#else
	if (!error)
		error = add_if(ctx, "mmap", is_data);
#endif
	return error ? error : add_if(ctx, "mmap2", is_data);
}

/* Asking whether a descriptor is a terminal, as the log does, how much is there, and for an interface's index. */
static int add_ioctl(scmp_filter_ctx ctx)
{
	static const unsigned long requests[] = { TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, SIOCGIFINDEX };
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(requests) / sizeof(requests[0]); i++)
		error = add_if(ctx, "ioctl", SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)requests[i]));
	return error;
}

/* Children without namespaces of their own, and the sockets that are used. */
static int add_meter(scmp_filter_ctx ctx)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	const uint64_t apart = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		CLONE_NEWPID | CLONE_NEWNET;
	int error = 0;

#ifdef __s390__
	error = add_if(ctx, "clone", SCMP_A1(SCMP_CMP_MASKED_EQ, apart, 0));
#else
	error = add_if(ctx, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, apart, 0));
#endif
	for (size_t i = 0; !error && i < sizeof(families) / sizeof(families[0]); i++)
		error = add_if(ctx, "socket", SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return error;
}

static int add_rules(scmp_filter_ctx ctx, enum syscall_filter filter)
{
	int error = add_all(ctx, SCMP_ACT_ERRNO(ENOSYS), absent_calls);

	if (!error)
		error = add_all(ctx, SCMP_ACT_ALLOW, filter == SYSCALL_FILTER_METER ? meter_calls : child_calls);
	if (!error)
		error = add_memory(ctx);
	if (!error)
		error = add_ioctl(ctx);
	return error || filter != SYSCALL_FILTER_METER ? error : add_meter(ctx);
}

/* --- A call that is not listed */

static void on_violation(int signo, siginfo_t *info, void *context)
{
	(void)context;
	log_error("system call %d is not one that hostmeter needs: process %d ends; please report it (seccomp = false "
		  "switches the filter off)",
		info->si_syscall, (int)getpid());
	raise(signo); /* at the return from here, and the handler is the default one by then */
}

static int watch_violations(void)
{
	const struct sigaction action = { .sa_sigaction = on_violation, .sa_flags = SA_SIGINFO | SA_RESETHAND };
	sigset_t violation;

	/* A signal that is blocked would end the process without the line. */
	sigemptyset(&violation);
	sigaddset(&violation, SIGSYS);
	return sigaction(SIGSYS, &action, NULL) || sigprocmask(SIG_UNBLOCK, &violation, NULL) ? -errno : 0;
}

int syscall_filter_load(enum syscall_filter filter)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int error;

	if (!ctx)
		return -ENOMEM;
	seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A search instead of a walk, where this libseccomp can. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* Nobody else's code runs in this process: before Linux 5.16 it would be slowed down for that. */
	seccomp_attr_set(ctx, SCMP_FLTATR_CTL_SSB, 1);
	error = add_rules(ctx, filter);
	if (!error)
		error = watch_violations();
	if (!error)
		error = seccomp_load(ctx);
	seccomp_release(ctx);
	return error;
}

#endif
