// Generate writes the tests of a uapi package that compare Go's layout with
// C's. It is run by go generate, in the folder of the package.
//
// usage: go run …/testdata/uapi/generate GOLDENS
package main

import (
	"fmt"
	"os"

	"github.com/gemtool/gemtool/testdata/uapi/layout"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: generate GOLDENS")
		os.Exit(2)
	}
	files, err := layout.Generate(".", os.Args[1])
	for name, text := range files {
		if err == nil {
			err = os.WriteFile(name, text, 0o666)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
