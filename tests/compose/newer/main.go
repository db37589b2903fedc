// Command newer prints a project as compose-go reads it: Compose's canonical JSON, or why it is refused.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/sirupsen/logrus"
)

type words []string

func (w *words) String() string        { return strings.Join(*w, " ") }
func (w *words) Set(word string) error { *w = append(*w, word); return nil }

func read() ([]byte, error) {
	var files, envFiles, profiles words
	flag.Var(&files, "f", "compose file")
	flag.Var(&envFiles, "env-file", "variables")
	flag.Var(&profiles, "profile", "profile to enable")
	name := flag.String("project-name", "", "project name")
	directory := flag.String("project-directory", "", "where relative paths start")
	flag.Parse()
	options, err := cli.NewProjectOptions(files,
		cli.WithWorkingDirectory(*directory), cli.WithOsEnv, cli.WithEnvFiles(envFiles...), cli.WithDotEnv,
		cli.WithConfigFileEnv, cli.WithDefaultConfigPath, cli.WithEnvFiles(envFiles...), cli.WithDotEnv, // of its folder, now known
		cli.WithDefaultProfiles(profiles...), cli.WithName(*name), cli.WithDiscardEnvFile)
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return nil, err
	}
	return project.WithoutUnnecessaryResources().MarshalJSON()
}

func main() {
	logrus.SetLevel(logrus.ErrorLevel)
	shown, err := read()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(strings.ReplaceAll(string(shown), "$", "$$"))
}
