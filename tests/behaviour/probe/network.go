package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"
)

const patience = 4 * time.Second

type call struct {
	Name  string `json:"name"`
	Port  string `json:"port"`
	Proto string `json:"proto"`
}

// outcome says which of a name's addresses answered, and as whom; "closed" stands for those that did not.
type outcome struct {
	Call    call     `json:"call"`
	Who     []string `json:"who"`
	Hosts   []string `json:"hosts"`
	Callers []string `json:"callers"`
}

type lookup struct {
	Addresses []string `json:"addresses"`
	Reverse   []string `json:"reverse"`
}

func lookupAll(names []string) map[string]lookup {
	known := map[string]lookup{}
	lock, group := sync.Mutex{}, sync.WaitGroup{}
	for _, name := range names {
		group.Add(1)
		go func(name string) {
			defer group.Done()
			limit, cancel := context.WithTimeout(context.Background(), 2*patience)
			defer cancel()
			addresses, _ := net.DefaultResolver.LookupHost(limit, name)
			sort.Strings(addresses)
			result := lookup{Addresses: addresses, Reverse: []string{}}
			if len(addresses) > 0 {
				result.Reverse, _ = net.DefaultResolver.LookupAddr(limit, addresses[0])
			}
			lock.Lock()
			known[name] = result
			lock.Unlock()
		}(name)
	}
	group.Wait()
	return known
}

func callAll(calls []call) []outcome {
	results := make([]outcome, len(calls))
	group := sync.WaitGroup{}
	for i, asked := range calls {
		group.Add(1)
		go func(i int, asked call) {
			defer group.Done()
			results[i] = callName(asked)
		}(i, asked)
	}
	group.Wait()
	return results
}

func callName(asked call) outcome {
	result := outcome{Call: asked, Who: []string{}, Hosts: []string{}, Callers: []string{}}
	limit, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(limit, asked.Name)
	if err != nil {
		result.Who = append(result.Who, "unknown")
		return result
	}
	for _, address := range addresses {
		reply := callAddress(net.JoinHostPort(address, asked.Port), asked.Proto)
		result.Who = append(result.Who, reply.Who)
		if reply.Host != "" {
			result.Hosts = append(result.Hosts, reply.Host)
			result.Callers = append(result.Callers, reply.Caller)
		}
	}
	sort.Strings(result.Who)
	sort.Strings(result.Hosts)
	return result
}

func callAddress(address, proto string) answer {
	reply := answer{}
	if proto == "udp" {
		socket, err := net.DialTimeout("udp", address, patience)
		if err != nil {
			return answer{Who: failure(err)}
		}
		defer socket.Close()
		_ = socket.SetDeadline(time.Now().Add(patience))
		_, _ = socket.Write([]byte("who"))
		buffer := make([]byte, 2048)
		count, err := socket.Read(buffer)
		if err != nil {
			return answer{Who: "closed"} // a lost datagram and a refused one look alike to most callers
		}
		_ = json.Unmarshal(buffer[:count], &reply)
		return reply
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + address + "/")
	if err != nil {
		return answer{Who: failure(err)}
	}
	defer response.Body.Close()
	if json.Unmarshal([]byte(read(response.Body, 4096)), &reply) != nil {
		return answer{Who: "another"}
	}
	return reply
}

func failure(err error) string {
	text := err.Error()
	// Whether what is closed says so or is silent is the network plugin's choice.
	for _, closed := range []string{"refused", "no route", "unreachable", "timeout", "deadline"} {
		if strings.Contains(strings.ToLower(text), closed) {
			return "closed"
		}
	}
	return "broken"
}

func resolver() map[string][]string {
	known := map[string][]string{}
	for _, line := range strings.Split(content("/etc/resolv.conf"), "\n") {
		fields := strings.Fields(line)
		if len(fields) > 1 && !strings.HasPrefix(fields[0], "#") {
			known[fields[0]] = append(known[fields[0]], fields[1:]...)
		}
	}
	return known
}

func hosts() map[string]string {
	known := map[string]string{}
	for _, line := range strings.Split(content("/etc/hosts"), "\n") {
		text, _, _ := strings.Cut(line, "#")
		fields := strings.Fields(text)
		for _, name := range fields[min(1, len(fields)):] {
			known[name] = strings.TrimSpace(known[name] + " " + fields[0])
		}
	}
	return known
}

func interfaces() []string {
	names := []string{}
	interfaces, _ := net.Interfaces()
	for _, device := range interfaces {
		if device.Flags&net.FlagUp != 0 {
			names = append(names, strings.TrimRight(device.Name, "0123456789"))
		}
	}
	sort.Strings(names)
	return names
}
