package main

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
)

// question is what the judge wants to know beside what is always told.
type question struct {
	Names   []string `json:"names"`
	Calls   []call   `json:"calls"`
	Sysctls []string `json:"sysctls"`
	Paths   []string `json:"paths"`
}

type observation struct {
	Argv     []string                    `json:"argv"`
	Env      map[string]string           `json:"env"`
	Cwd      string                      `json:"cwd"`
	Pid      int                         `json:"pid"`
	First    string                      `json:"first"`
	Stdin    string                      `json:"stdin"`
	Status   map[string]string           `json:"status"`
	Rlimits  map[string]string           `json:"rlimits"`
	OomScore string                      `json:"oom_score"`
	Started  float64                     `json:"started"`
	Mounts   []mount                     `json:"mounts"`
	Root     bool                        `json:"root_writable"`
	Limits   map[string]string           `json:"limits"`
	Sysctls  map[string]string           `json:"sysctls"`
	Host     string                      `json:"host"`
	Domain   string                      `json:"domain"`
	Resolver map[string][]string         `json:"resolver"`
	Hosts    map[string]string           `json:"hosts"`
	Links    []string                    `json:"links"`
	Names    map[string]lookup           `json:"names"`
	Calls    []outcome                   `json:"calls"`
	Trees    map[string]map[string]entry `json:"trees"`
	Devices  []string                    `json:"devices"`
	Peers    int                         `json:"processes"`
}

func observe(ask question) observation {
	process, err := mainProcess()
	check(err)
	folder := fmt.Sprintf("/proc/%d", process)
	seen := observation{
		Argv: arguments(process), Env: environment(process), Pid: process, Started: started(process),
		Status: status(folder + "/status"), Rlimits: rlimits(folder + "/limits"),
		OomScore: strings.TrimSpace(content(folder + "/oom_score_adj")), Limits: limits(), Sysctls: sysctls(ask.Sysctls),
		Domain: strings.TrimSpace(content("/proc/sys/kernel/domainname")), Resolver: resolver(), Hosts: hosts(),
		Names: lookupAll(ask.Names), Calls: callAll(ask.Calls), Mounts: mounts(), Links: interfaces(),
		Trees: trees(ask.Paths), Devices: devices(), Peers: processes(),
	}
	seen.Cwd, _ = os.Readlink(folder + "/cwd")
	seen.Stdin, _ = os.Readlink(folder + "/fd/0")
	seen.First = arguments(1)[0]
	seen.Host, _ = os.Hostname()
	seen.Root = writable("/")
	return seen
}

func content(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func arguments(process int) []string {
	text := strings.TrimSuffix(content(fmt.Sprintf("/proc/%d/cmdline", process)), "\x00")
	return strings.Split(text, "\x00")
}

func environment(process int) map[string]string {
	known := map[string]string{}
	text := strings.TrimSuffix(content(fmt.Sprintf("/proc/%d/environ", process)), "\x00")
	for _, line := range strings.Split(text, "\x00") {
		if name, value, ok := strings.Cut(line, "="); ok {
			known[name] = value
		}
	}
	return known
}

func status(path string) map[string]string {
	known := map[string]string{}
	for _, line := range strings.Split(content(path), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			known[name] = strings.Join(strings.Fields(value), " ")
		}
	}
	return known
}

func rlimits(path string) map[string]string {
	known := map[string]string{}
	for _, line := range strings.Split(content(path), "\n")[1:] {
		if len(line) > 26 {
			fields := strings.Fields(line[26:])
			known[strings.TrimSpace(line[:26])] = strings.Join(fields[:min(2, len(fields))], ":")
		}
	}
	return known
}

func uptime() float64 {
	now := syscall.Sysinfo_t{}
	_ = syscall.Sysinfo(&now)
	text, _, _ := strings.Cut(content("/proc/uptime"), " ")
	exact, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return float64(now.Uptime)
	}
	return exact
}

// started is when a process began, in seconds since the machine did.
func started(process int) float64 {
	text := content(fmt.Sprintf("/proc/%d/stat", process))
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:])
	if len(fields) < 20 {
		return 0
	}
	ticks, _ := strconv.ParseFloat(fields[19], 64)
	return ticks / 100
}

// limits are those of the control group: of both versions, whichever there is.
func limits() map[string]string {
	files := map[string][]string{
		"memory":       {"memory/memory.limit_in_bytes", "memory.max"},
		"reservation":  {"memory/memory.soft_limit_in_bytes", "memory.low"},
		"swap":         {"memory/memory.memsw.limit_in_bytes", "memory.swap.max"},
		"swappiness":   {"memory/memory.swappiness"},
		"oom-kill-off": {"memory/memory.oom_control"},
		"cpu-quota":    {"cpu/cpu.cfs_quota_us", "cpu.max"},
		"cpu-period":   {"cpu/cpu.cfs_period_us"},
		"cpu-shares":   {"cpu/cpu.shares", "cpu.weight"},
		"cpuset":       {"cpuset/cpuset.cpus", "cpuset.cpus.effective"},
		"pids":         {"pids/pids.max", "pids.max"},
		"blkio-weight": {"blkio/blkio.weight", "blkio/blkio.bfq.weight", "io.weight"},
	}
	known := map[string]string{}
	for name, paths := range files {
		for _, path := range paths {
			if text := content("/sys/fs/cgroup/" + path); text != "" {
				line, _, _ := strings.Cut(text, "\n")
				known[name] = line
				break
			}
		}
	}
	return known
}

func sysctls(more []string) map[string]string {
	known := map[string]string{}
	common := []string{"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.core.somaxconn",
		"kernel.shm_rmid_forced", "kernel.shmmax", "net.ipv4.ip_forward"}
	for _, name := range append(common, more...) {
		path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
		known[name] = strings.Join(strings.Fields(content(path)), " ")
	}
	return known
}

func devices() []string {
	names := []string{}
	entries, _ := os.ReadDir("/dev")
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	sort.Strings(names)
	return names
}

func processes() int {
	entries, _ := os.ReadDir("/proc")
	count := 0
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil || id == os.Getpid() {
			continue
		}
		// A check comes and goes, and so does what starts it, and what has ended and is not yet buried.
		command := strings.Join(arguments(id), " ")
		if command != "" && command != "runc init" && !strings.Contains(command, "/probe health") {
			count++
		}
	}
	return count
}
