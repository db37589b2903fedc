// The one program of the images: it serves, and tells what a process in its container can see.
//
//	probe serve [listen=80] [udp=53] [say=text] [exit=3] [after=2s] [ignore=TERM] [unhealthy=5s] [serves=/file]
//	            [opens=5s] [quorum=n1:80,n2:80] [within=30s], and what it looks at before (see startup.go)
//	probe observe JSON      what the main process of this container sees, as JSON
//	probe call JSON         which of some addresses answer
//	probe health            0 when the main process says it is healthy
//	probe write PATH TEXT   a file, for what lives on
//	probe kill SIGNAL       send the main process a signal
//
// Words that it does not know are left alone: what arrives as argument is itself observed.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

type words map[string][]string

func main() {
	verb := ""
	following := []string{}
	if len(os.Args) > 1 {
		verb, following = os.Args[1], os.Args[2:]
	}
	switch verb {
	case "observe", "health", "write", "kill":
		joinUser()
	}
	switch verb {
	case "observe":
		ask := question{}
		parse(following, &ask)
		show(observe(ask))
	case "call":
		ask := question{}
		parse(following, &ask)
		show(callAll(ask.Calls))
	case "health":
		os.Exit(health())
	case "write":
		check(os.WriteFile(following[0], []byte(following[1]), 0o644))
	case "kill":
		kill(following[0])
	default:
		serve(split(os.Args[1:]))
	}
}

func split(arguments []string) words {
	known := words{}
	for _, word := range arguments {
		if name, value, ok := strings.Cut(word, "="); ok {
			known[name] = append(known[name], value)
		}
	}
	return known
}

func (w words) first(name string) string {
	if len(w[name]) == 0 {
		return ""
	}
	return w[name][0]
}

func parse(following []string, into any) {
	if len(following) > 0 {
		check(json.Unmarshal([]byte(following[0]), into))
	}
}

func show(value any) {
	text, err := json.Marshal(value)
	check(err)
	fmt.Println(string(text))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(70)
	}
}

var signals = map[string]syscall.Signal{
	"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	"HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT, "KILL": syscall.SIGKILL,
}

func kill(name string) {
	process, err := mainProcess()
	check(err)
	check(syscall.Kill(process, signals[name]))
}

// mainProcess finds the served probe of this container: the oldest in the same mount namespace that is no command of ours.
func mainProcess() (int, error) {
	mine, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	best := 0
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil || id == os.Getpid() {
			continue
		}
		place, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", id))
		if err != nil || place != mine {
			continue
		}
		if !isServed(id) {
			continue
		}
		if best == 0 || id < best {
			best = id
		}
	}
	if best == 0 {
		return 0, fmt.Errorf("no main process to be seen")
	}
	return best, nil
}

// isServed tells whether a process is a probe that serves, and no command of ours.
func isServed(id int) bool {
	argv := arguments(id)
	if !strings.HasSuffix(argv[0], "/probe") && argv[0] != "probe" {
		return false
	}
	return len(argv) < 2 || (argv[1] != "observe" && argv[1] != "health" && argv[1] != "kill" && argv[1] != "write")
}

// joinUser becomes the user that the main process has become: nobody else may look into it, not even a container's root.
func joinUser() {
	if _, err := mainProcess(); err == nil || os.Getuid() != 0 {
		return
	}
	entries, err := os.ReadDir("/proc")
	check(err)
	for _, entry := range entries {
		id, err := strconv.Atoi(entry.Name())
		if err != nil || id == os.Getpid() || !isServed(id) {
			continue
		}
		known := status(fmt.Sprintf("/proc/%d/status", id))
		users, groups := strings.Fields(known["Uid"]), strings.Fields(known["Gid"])
		if len(users) > 0 && len(groups) > 0 && users[0] != "0" {
			check(drop(users[0] + ":" + groups[0]))
		}
	}
}
