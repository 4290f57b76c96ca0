package main

func decided(evidence object) object    { return nil }
func registered(evidence object) object { return nil }
