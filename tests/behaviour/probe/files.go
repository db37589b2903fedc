package main

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const largest = 1 << 16 // bytes of a file whose content is told

type mount struct {
	Path     string `json:"path"`
	Type     string `json:"type"`
	Root     string `json:"root"`
	Options  string `json:"options"`
	Super    string `json:"super"`
	Size     uint64 `json:"size"`
	Mode     string `json:"mode"`
	Owner    string `json:"owner"`
	Writable bool   `json:"writable"`
}

type entry struct {
	Kind   string `json:"kind"`
	Mode   string `json:"mode"`
	Owner  string `json:"owner"`
	Digest string `json:"digest,omitempty"`
	// Of what is no link: whether the user of the container can write to it.
	Writable bool `json:"writable"`
}

func mounts() []mount {
	known := []mount{}
	for _, line := range strings.Split(content("/proc/self/mountinfo"), "\n") {
		before, after, ok := strings.Cut(line, " - ")
		fields, more := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 6 || len(more) < 3 {
			continue
		}
		point := mount{Path: fields[4], Root: fields[3], Options: fields[5], Type: more[0], Super: more[2]}
		if strings.HasPrefix(point.Path, "/sys/") || strings.HasPrefix(point.Path, "/proc/") {
			continue
		}
		space := syscall.Statfs_t{}
		if syscall.Statfs(point.Path, &space) == nil {
			point.Size = space.Blocks * uint64(space.Bsize)
		}
		described := describe(point.Path)
		point.Mode, point.Owner, point.Writable = described.Mode, described.Owner, writable(point.Path)
		known = append(known, point)
	}
	return known
}

func describe(path string) entry {
	info, err := os.Lstat(path)
	if err != nil {
		return entry{Kind: "absent"}
	}
	described := entry{Kind: kind(info.Mode()), Mode: fmt.Sprintf("%04o", mode(info.Mode()))}
	if raw, ok := info.Sys().(*syscall.Stat_t); ok {
		described.Owner = fmt.Sprintf("%d:%d", raw.Uid, raw.Gid)
	}
	if info.Mode().IsRegular() && info.Size() <= largest {
		text, err := os.ReadFile(path)
		described.Digest = fmt.Sprintf("%x", sha256.Sum256(text))[:12]
		if err != nil {
			described.Digest = "unreadable"
		}
	}
	return described
}

func mode(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	for flag, bit := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if m&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

func kind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeSymlink != 0:
		return "link"
	case m.IsRegular():
		return "file"
	}
	return "special"
}

// writable tries: rights, the mount and the user decide together.
func writable(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if !info.IsDir() {
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_ = file.Close()
		}
		return err == nil
	}
	file, err := os.CreateTemp(path, ".probe-")
	if err != nil {
		return false
	}
	_ = file.Close()
	return os.Remove(file.Name()) == nil
}

// trees tells every file below some paths, by what links lead to: a mounted ConfigMap is made of links. What such a
// mount keeps beside them, in names that begin with two dots, is left out.
func trees(paths []string) map[string]map[string]entry {
	known := map[string]map[string]entry{}
	for _, top := range paths {
		known[top] = map[string]entry{}
		walk(top, "", known[top])
	}
	return known
}

func walk(top, name string, below map[string]entry) {
	path := filepath.Join(top, name)
	described := describe(path)
	if described.Kind == "link" {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			described = describe(real)
		}
	}
	described.Writable = writable(path)
	below[name] = described
	if described.Kind != "folder" || len(below) > 200 {
		return
	}
	items, _ := os.ReadDir(path)
	for _, item := range items {
		if !strings.HasPrefix(item.Name(), "..") {
			walk(top, filepath.Join(name, item.Name()), below)
		}
	}
}
