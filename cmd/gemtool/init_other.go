//go:build !linux

package main

func asInit() {}
