package kms

var ModeBlob = modeBlob
