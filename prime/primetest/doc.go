// Package primetest helps to test code that shares buffers.
package primetest
