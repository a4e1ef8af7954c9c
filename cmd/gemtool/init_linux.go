package main

import "github.com/gemtool/gemtool/cmd/gemtool/internal/vm"

// asInit takes over as process 1 of gemtool vm's guest, and does not return
// there.
func asInit() {
	if vm.IsInit() {
		vm.Init()
	}
}
