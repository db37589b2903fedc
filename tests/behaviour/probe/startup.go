package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	failed  = 1 // the code of a program that says itself why it does not start
	version = "VERSION"
)

// startupCheck is something that a program does or looks at before it serves: nil when it is as it must be.
type startupCheck struct {
	word string
	run  func(string) error
}

// Entrypoints fill folders and hand them over as long as they are root, and then become somebody else: the rest is done
// by whom they became.
var startupChecks = []startupCheck{
	{"copies", copyTree},
	{"owns", own},
	{"drops", drop},
	{"refuses-root", refuseRoot},
	{"refuses-lost-found", refuseLostFound},
	{"needs-capability", needCapability},
	{"needs-nofile", needOpenFiles},
	{"needs-file", needFile},
	{"needs-mode", needMode},
	{"needs-writable", needWritable},
	{"init", initialise},
	{"private", needPrivate},
	{"node", needSameNode},
	{"cookie", needCookie},
	{"template", fillTemplate},
	{"needs-peer", needPeer},
}

// prepare does what a program does before it serves, and ends it with a line on stderr where that fails.
func prepare(known words) {
	for _, each := range startupChecks {
		for _, value := range known[each.word] {
			if err := each.run(os.ExpandEnv(value)); err != nil {
				fmt.Fprintf(os.Stderr, "%s: %v\n", each.word, err)
				os.Exit(failed)
			}
		}
	}
}

// own hands a folder and all below it over, where it is root's to do so: `owns=/data:999:999`.
func own(value string) error {
	if os.Getuid() != 0 {
		return nil
	}
	path, owner, _ := strings.Cut(value, ":")
	uid, gid, err := parsePair(owner)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, uid, gid)
	})
}

// drop becomes another user for good, as `gosu` and `su-exec` do: `drops=999:999`.
func drop(value string) error {
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := parsePair(value)
	if err != nil {
		return err
	}
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return err
	}
	if err := syscall.Setgid(gid); err != nil {
		return err
	}
	if err := syscall.Setuid(uid); err != nil {
		return err
	}
	return syscall.Exec("/proc/self/exe", os.Args, os.Environ())
}

func refuseRoot(string) error {
	if os.Getuid() == 0 {
		return fmt.Errorf("it must not run as root")
	}
	return nil
}

func refuseLostFound(path string) error {
	if _, err := os.Lstat(filepath.Join(path, "lost+found")); err == nil {
		return fmt.Errorf("%s has a lost+found: it is a mount point itself", path)
	}
	return nil
}

func needCapability(name string) error {
	bits, _ := strconv.ParseUint(status("/proc/self/status")["CapEff"], 16, 64)
	numbers := map[string]uint{"CHOWN": 0, "NET_BIND_SERVICE": 10, "NET_ADMIN": 12, "NET_RAW": 13, "IPC_LOCK": 14}
	if number, ok := numbers[name]; !ok || bits>>number&1 == 0 {
		return fmt.Errorf("it has no %s", name)
	}
	return nil
}

func needOpenFiles(value string) error {
	least, err := strconv.ParseUint(value, 10, 64)
	if err != nil {
		return err
	}
	limit := syscall.Rlimit{}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if limit.Max < least {
		return fmt.Errorf("it may open %d files, and needs %d", limit.Max, least)
	}
	return nil
}

func needFile(path string) error {
	text, err := os.ReadFile(path)
	if err == nil && len(text) == 0 {
		return fmt.Errorf("%s is empty", path)
	}
	return err
}

// needMode makes a file for its owner alone, and refuses one with other rights: `needs-mode=/acme.json:0600`.
func needMode(value string) error {
	path, wanted, _ := strings.Cut(value, ":")
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return os.WriteFile(path, nil, 0o600)
	}
	if found := describe(path).Mode; found != wanted {
		return fmt.Errorf("%s has the mode %s, and must have %s", path, found, wanted)
	}
	return nil
}

func needWritable(path string) error {
	if !writable(path) {
		return fmt.Errorf("%s cannot be written to by %d:%d", path, os.Getuid(), os.Getgid())
	}
	return nil
}

// copyTree fills a folder from what the image keeps elsewhere, as long as it has no version: `copies=/usr/src/app:/srv`.
func copyTree(value string) error {
	from, to, _ := strings.Cut(value, ":")
	if _, err := os.Stat(filepath.Join(to, version)); err == nil {
		return nil
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, version), []byte("1\n"), 0o644)
}

// initialise makes the first files of an empty folder; one with files but no version is somebody else's.
func initialise(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(path, version)); err == nil {
		return nil
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s has a %s, but no %s", path, entries[0].Name(), version)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(path, version), []byte("1\n"), 0o600)
}

// needPrivate wants a folder to be the user's own, and closed to all but its group's readers.
func needPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if raw, ok := info.Sys().(*syscall.Stat_t); !ok || int(raw.Uid) != os.Getuid() {
		return fmt.Errorf("%s belongs to %s, and not to %d", path, describe(path).Owner, os.Getuid())
	}
	if info.Mode().Perm()&0o027 != 0 {
		return fmt.Errorf("%s has the mode %s, and must be 0700 or 0750", path, describe(path).Mode)
	}
	return nil
}

// needSameNode wants a folder to be used by one host name alone, which is a part of the names of what lies in it.
func needSameNode(path string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	file := filepath.Join(path, "node")
	before, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return os.WriteFile(file, []byte(name), 0o644)
	}
	if err == nil && string(before) != name {
		return fmt.Errorf("%s is the data of %q, and this is %q", path, before, name)
	}
	return err
}

// needCookie makes a secret that only its owner may read, and refuses one that others can.
func needCookie(path string) error {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return os.WriteFile(path, []byte("cookie\n"), 0o400)
	}
	if found := describe(path); found.Mode != "0400" || !strings.HasPrefix(found.Owner, fmt.Sprintf("%d:", os.Getuid())) {
		return fmt.Errorf("%s must be for its owner alone: %s of %s", path, found.Mode, found.Owner)
	}
	return nil
}

// fillTemplate writes a configuration with the variables of the environment: `template=/etc/app.in:/etc/app.conf`.
func fillTemplate(value string) error {
	from, to, _ := strings.Cut(value, ":")
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(os.ExpandEnv(string(bytes.TrimSpace(text)))), 0o644)
}

func parsePair(value string) (uid, gid int, err error) {
	user, group, _ := strings.Cut(value, ":")
	if uid, err = strconv.Atoi(user); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(group)
	return uid, gid, err
}
