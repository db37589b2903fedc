package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// answer is what a caller learns of who answers.
type answer struct {
	Who    string `json:"who"`
	Host   string `json:"host"`
	Caller string `json:"caller"`
}

// event is one line of output: what happened to the process, when on the machine's own clock.
type event struct {
	Event string  `json:"event"`
	Text  string  `json:"text,omitempty"`
	At    float64 `json:"at"`
}

func tell(what, text string) {
	line, _ := json.Marshal(event{what, text, uptime()})
	fmt.Println(string(line))
}

func serve(known words) {
	tell("start", known.first("as"))
	prepare(known)
	for _, text := range known["say"] {
		fmt.Println(text)
	}
	for _, text := range known["complain"] {
		fmt.Fprintln(os.Stderr, text)
	}
	asked := make(chan os.Signal, 9)
	for _, number := range signals {
		signal.Notify(asked, number)
	}
	for _, port := range known["listen"] {
		go listen(known, port)
	}
	go awaitQuorum(known)
	for _, port := range known["udp"] {
		go listenUDP(known.first("as"), port)
	}
	var ended <-chan time.Time
	if code := known.first("exit"); code != "" {
		pause, _ := time.ParseDuration(known.first("after"))
		ended = time.After(pause)
	}
	for {
		select {
		case <-ended:
			leave(known.first("exit"))
		case number := <-asked:
			name := number.String()
			for short, other := range signals {
				if other == number {
					name = short
				}
			}
			tell("signal", name)
			if name == known.first("ignore") {
				continue
			}
			if name == "TERM" || name == "INT" || name == "QUIT" || name == known.first("end") {
				linger, _ := time.ParseDuration(known.first("linger"))
				time.Sleep(linger)
				leave(known.first("status"))
			}
		}
	}
}

func leave(code string) {
	tell("end", code)
	number, _ := strconv.Atoi(code)
	os.Exit(number)
}

// listen answers with the program's name, or with what a file says now: `serves=/etc/app.conf`.
func listen(known words, port string) {
	host, _ := os.Hostname()
	opens, _ := time.ParseDuration(known.first("opens"))
	time.Sleep(opens)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		caller, _, _ := net.SplitHostPort(request.RemoteAddr)
		who := known.first("as")
		if path := known.first("serves"); path != "" {
			who = strings.TrimSpace(content(path))
		}
		text, _ := json.Marshal(answer{who, host, caller})
		_, _ = writer.Write(text)
	})
	if err := http.ListenAndServe(":"+port, handler); err != nil {
		tell("refused", err.Error())
	}
}

func listenUDP(who, port string) {
	host, _ := os.Hostname()
	socket, err := net.ListenPacket("udp", ":"+port)
	if err != nil {
		tell("refused", err.Error())
		return
	}
	buffer := make([]byte, 2048)
	for {
		_, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		caller, _, _ := net.SplitHostPort(from.String())
		text, _ := json.Marshal(answer{who, host, caller})
		_, _ = socket.WriteTo(text, from)
	}
}

// health is good unless the main process was told to be bad for a while, or a file says so.
func health() int {
	if _, err := os.Stat("/tmp/unhealthy"); err == nil {
		return 1
	}
	process, err := mainProcess()
	if err != nil {
		return 1
	}
	known := split(arguments(process))
	pause, _ := time.ParseDuration(known.first("unhealthy"))
	if uptime()-started(process) < pause.Seconds() || !quorum(known.first("quorum")) {
		return 1
	}
	return 0
}

func read(reader io.Reader, limit int64) string {
	text, _ := io.ReadAll(io.LimitReader(reader, limit))
	return string(text)
}
