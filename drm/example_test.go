package drm_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gemtool/gemtool/drm"
)

// Every device once, whatever numbers its nodes have.
func ExampleDevices() {
	devices, err := drm.Devices()
	if err != nil {
		log.Fatal(err)
	}
	for _, info := range devices {
		node, ok := info.Node(drm.NodePrimary)
		if !ok {
			continue
		}
		d, err := drm.Open(node.Path, drm.Options{})
		if err != nil {
			log.Print(err) // such as: permission denied (the group video owns it)
			continue
		}
		if v, err := d.Version(); err == nil {
			fmt.Printf("%s %s %q\n", info.BusID(), node.Path, v.Name)
		}
		d.Close()
	}
}

// What a compositor does about devices and displays that come and go.
func ExampleHotplug() {
	ctx := context.Background()
	for e, err := range drm.Hotplug(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		switch e.Kind {
		case drm.UeventAdded:
			fmt.Println("open", e.Node.Path)
		case drm.UeventRemoved:
			fmt.Println("close", e.Node.Path)
		case drm.UeventChanged:
			fmt.Println("probe the connectors of", e.Node.Path)
		case drm.UeventWedged:
			fmt.Printf("%s needs help: %q\n", e.Node.Path, e.Recovery)
		}
	}
}
