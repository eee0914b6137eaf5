/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and keys for tests, good from 2000 to 2123. Nothing is secret here. */
#pragma once

/* Signs the next two. */
#define PEM_CA                                                                                                         \
	"-----BEGIN CERTIFICATE-----\n"                                                                                \
	"MIIBKDCBzqADAgECAgEBMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB3Rlc3QgQ0Ew\n"                                           \
	"IBcNMDAwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBIxEDAOBgNVBAMMB3Rl\n"                                           \
	"c3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARx9Ob4jw48GEnEsnyaaihj\n"                                           \
	"hATf5pOCZwR998sENlAYQTaMAU+/KNT/Dn48UaDPysGP9EVgEt4vjhMb+vfA69iT\n"                                           \
	"oxMwETAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCpyvw1FQtG\n"                                           \
	"SGpUs399ySnBLms8cGJ1umaO6M6l84lcNQIhAOikRoLH4eUbblCBAJ/SVOwVPXNk\n"                                           \
	"7nfgnjRGr8XkXWEJ\n"                                                                                           \
	"-----END CERTIFICATE-----\n"

/* For servers only. */
#define PEM_SERVER                                                                                                     \
	"-----BEGIN CERTIFICATE-----\n"                                                                                \
	"MIIBKjCB0aADAgECAgECMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB3Rlc3QgQ0Ew\n"                                           \
	"IBcNMDAwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBExDzANBgNVBAMMBnJv\n"                                           \
	"dXRlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHH05viPDjwYScSyfJpqKGOE\n"                                           \
	"BN/mk4JnBH33ywQ2UBhBNowBT78o1P8OfjxRoM/KwY/0RWAS3i+OExv698Dr2JOj\n"                                           \
	"FzAVMBMGA1UdJQQMMAoGCCsGAQUFBwMBMAoGCCqGSM49BAMCA0gAMEUCIFBCx/LF\n"                                           \
	"O2bTYtKoRn279XpTG+LBVsnYusVonR+0MidpAiEAlQL9XDR/ouK+tT9fQzSVyDZz\n"                                           \
	"0sCFZ4/XyKgzz1iDBzg=\n"                                                                                       \
	"-----END CERTIFICATE-----\n"

/* For clients only. */
#define PEM_CLIENT                                                                                                     \
	"-----BEGIN CERTIFICATE-----\n"                                                                                \
	"MIIBLzCB1aADAgECAgEDMAoGCCqGSM49BAMCMBIxEDAOBgNVBAMMB3Rlc3QgQ0Ew\n"                                           \
	"IBcNMDAwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBUxEzARBgNVBAMMCnBy\n"                                           \
	"b21ldGhldXMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARx9Ob4jw48GEnEsnya\n"                                           \
	"aihjhATf5pOCZwR998sENlAYQTaMAU+/KNT/Dn48UaDPysGP9EVgEt4vjhMb+vfA\n"                                           \
	"69iToxcwFTATBgNVHSUEDDAKBggrBgEFBQcDAjAKBggqhkjOPQQDAgNJADBGAiEA\n"                                           \
	"l9tSDOBtAil/4xk8IRfYq830vwmjNDvCHdHbsF89SIYCIQCsJ/zoHi/76j8VgFji\n"                                           \
	"zEpoaFKkLZJrdt+cZ7FJah/qxQ==\n"                                                                               \
	"-----END CERTIFICATE-----\n"

/* Signed by itself. */
#define PEM_STRANGER                                                                                                   \
	"-----BEGIN CERTIFICATE-----\n"                                                                                \
	"MIIBFDCBu6ADAgECAgEEMAoGCCqGSM49BAMCMBMxETAPBgNVBAMMCHN0cmFuZ2Vy\n"                                           \
	"MCAXDTAwMDEwMTAwMDAwMFoYDzIxMjQwMTAxMDAwMDAwWjATMREwDwYDVQQDDAhz\n"                                           \
	"dHJhbmdlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHH05viPDjwYScSyfJpq\n"                                           \
	"KGOEBN/mk4JnBH33ywQ2UBhBNowBT78o1P8OfjxRoM/KwY/0RWAS3i+OExv698Dr\n"                                           \
	"2JMwCgYIKoZIzj0EAwIDSAAwRQIgK5qWSni1BgWgSCWn4WXyZ5Q7Hg+1asBCrT/f\n"                                           \
	"naFSe3QCIQDlog6UmKKjQiCpRgdjNvMfNkVBSqEBZ90oJBUqIoM1Yg==\n"                                                   \
	"-----END CERTIFICATE-----\n"

/* Of all of these. */
#define PEM_KEY                                                                                                        \
	"-----BEGIN PRIVATE KEY-----\n"                                                                                \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgil7p58KnZTUBDymh\n"                                           \
	"kmWmDTrfZ50xONSDnWX8RwVvpJehRANCAARx9Ob4jw48GEnEsnyaaihjhATf5pOC\n"                                           \
	"ZwR998sENlAYQTaMAU+/KNT/Dn48UaDPysGP9EVgEt4vjhMb+vfA69iT\n"                                                   \
	"-----END PRIVATE KEY-----\n"

/* Of none. */
#define PEM_OTHER_KEY                                                                                                  \
	"-----BEGIN PRIVATE KEY-----\n"                                                                                \
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZXVqYStGEsGHz0Zn\n"                                           \
	"m97qTqIn51GnKrFsENqZr9jQ596hRANCAARCj5SUJ8/sGjhOXJTQgeIcL/ocMnVU\n"                                           \
	"JQTlBoe9SQLkZz2MQn/FOyFEqgTXE9QkVbPY8UmefZdeDq2qwbxkHe9N\n"                                                   \
	"-----END PRIVATE KEY-----\n"

#define PEM_ENCRYPTED_KEY                                                                                              \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                                      \
	"MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh2XUk7qkReigICCAAw\n"                                           \
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEF+WqLJgfjK0YnHMb2OO6wkEgZCz\n"                                           \
	"YJd2n49dV2AwDJGMMZnliuYrQsfJtg3Xv9yRl5sdIPm75p1zTNSzf8KrVzQs9zK1\n"                                           \
	"YWuJseDCUS5SF1dscUskM/YBybDtK976IMUJZdNNWkPvpVh/KhWiqUPYykwp40uV\n"                                           \
	"N/wGsIog6QhRIf+XLq9oseIlxGFCRWO07NWEh9px+HCnsCuWmJzxQl7FBcpTqDk=\n"                                           \
	"-----END ENCRYPTED PRIVATE KEY-----\n"
