using System.Security.Cryptography;
using LfrEngine.Files;
using Xunit;

namespace LfrEngine.Tests.Files;

public sealed class SentenceTests
{
    [Fact]
    public void Of_WhatDotNetAppends_IsLeftOut()
    {
        Assert.Equal("Not like this.", Sentence.Of(new ArgumentException("Not like this.", "here").Message));
        Assert.Equal("Not like this. Do that.", Sentence.Of($"{new ArgumentException("Not like this.", "here").Message} Do that."));
        Assert.Equal("Not like this.", Sentence.Of(new ArgumentOutOfRangeException("here", 5, "Not like this.").Message));
        Assert.Equal("Cannot read (x): No.", FileTrouble.Words(new IOException(new ArgumentException("Cannot read (x): No.", "y").Message)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("no key")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")]
    [InlineData("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----")]
    public void KeyFrom_SomethingElse_SaysWhatItMustBe(string pem) =>
        Assert.Equal("it must contain one ECDSA key, not encrypted, in PEM form.", Assert.Throws<CryptographicException>(() => SignedFile.KeyFrom(pem)).Message);
}
